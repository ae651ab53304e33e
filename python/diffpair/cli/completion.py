"""diffpair completion"""

from __future__ import annotations

import json
from pathlib import Path

import click

from diffpair.cli.command import Command

VARIABLE = "_DIFFPAIR_COMPLETE"  # click's protocol between a shell and the program


def states(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Names of states that begin so: of the folder of a fit, or the config, that the command has been given so far."""
    # click leaves what stands before an option without its value in args
    given = [context.params.get("model"), context.params.get("what"), *context.args]
    folder = next((Path(word) for word in given if word and (Path(word) / "summary.json").is_file()), None)
    try:
        if folder is not None:
            entries = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["states"]
        else:
            import yaml

            entries = yaml.safe_load(Path(context.params["config"]).read_text(encoding="utf-8"))["states"]
        return [name for name in (str(entry["name"]) for entry in entries) if name.startswith(begun)]
    except Exception:  # a half-written file, or none: a shell that completes has no place for a problem
        return []


@click.command(
    "completion",
    cls=Command,
    needs_openmm=False,
    short_help="Print what completes commands in your shell.",
    examples=(
        'eval "$(diffpair completion bash)"',
        "diffpair completion bash > ~/.local/share/bash-completion/completions/diffpair",
        "diffpair completion zsh > ~/.zfunc/_diffpair",
        "diffpair completion fish > ~/.config/fish/completions/diffpair.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes commands, options, files and names of states.

    bash (4.4 or newer): put the line of the first example into ~/.bashrc, or write the script to the file of the second
    one. zsh: the folder of the file must be in fpath before compinit is called, by 'fpath+=~/.zfunc' in ~/.zshrc.
    fish: the file is enough. It works in shells that are opened then.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(context.find_root().command, {}, "diffpair", VARIABLE).source())
