"""--help: commands by what one does with them, options in groups, examples that are real."""

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from diffpair.cli import cli
from diffpair.cli.main import _SECTIONS

CONTEXT = click.Context(cli, info_name="diffpair")
COMMANDS = [cli.get_command(CONTEXT, name) for name in cli.list_commands(CONTEXT)]


def help_of(*arguments, columns=80):
    result = CliRunner().invoke(cli, [*arguments, "--help"], terminal_width=columns, prog_name="diffpair")
    assert result.exit_code == 0
    return result.output


def test_the_top_level_groups_its_commands():
    text = help_of()
    titles = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
    assert titles == [*_SECTIONS, "Options", "Examples"]
    for title, commands in _SECTIONS.items():
        block = text.split(f"\n{title}:\n")[1].split("\n\n")[0]
        assert [line.split()[0] for line in block.splitlines()] == list(commands)
        assert all(len(line.split()) > 2 for line in block.splitlines())  # each has a summary


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_summary_and_examples(command):
    text = help_of(command.name)
    assert text.startswith(f"Usage: diffpair {command.name} ") and "\x1b" not in text
    assert "\nExamples:\n  " in text and len(command.short_help) <= 60 and command.short_help.endswith(".")
    before = text.split("\nExamples:\n")[0]
    assert max(map(len, before.splitlines())) <= 80
    for option in (parameter for parameter in command.params if isinstance(parameter, click.Option)):
        assert before.count(f"{option.opts[0]}") >= 1 and option.help, option.name
    assert set(command.groups) <= set(re.findall(r"^(\S.*):$", before, re.MULTILINE))
    grouped = [name for names in command.groups.values() for name in names]
    assert len(grouped) == len(set(grouped)) and set(grouped) <= {parameter.name for parameter in command.params}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_examples_are_commands_that_parse(command, monkeypatch):
    """Every option and value of an example is one that the command takes."""
    from diffpair.cli.check import command as check

    ours = (command, check) if command.name == "target" else (command,)
    for each in ours:
        monkeypatch.setattr(each, "callback", lambda **_: None)
    for example in (example for each in ours for example in each.examples):
        typed = re.sub(r'^eval "\$\((.*)\)"$', r"\1", example).replace("\\\n", " ")
        words = shlex.split(typed.partition(" > ")[0])
        result = CliRunner().invoke(cli, words[words.index("diffpair") + 1 :])
        assert result.exit_code == 0, (example, result.output, result.exception)


def test_tools_that_read_commands_find_the_examples():
    """As sphinx-click does: in the epilog, one a line."""
    for command in COMMANDS:
        assert command.epilog.startswith("\b\nExamples:\n")
        assert command.epilog.count("\n") >= 1 + len(command.examples)
