"""The command group, and how problems reach the user: one sentence and exit status 2, never a traceback.

Commands import what they need when they run, so that ``diffpair --help`` needs neither torch nor OpenMM's plugins.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from importlib import import_module
from typing import TextIO

import click

from diffpair._version import __version__
from diffpair.cli.command import Help, Rows, write_sections
from diffpair.errors import DiffPairError

_SECTIONS = {
    "Prepare": {
        "init": "diffpair.cli.init",
        "target": "diffpair.cli.target",
        "map": "diffpair.cli.map",
    },
    "Learn": {
        "fit": "diffpair.cli.fit",
        "audit": "diffpair.cli.audit",
    },
    "Look": {
        "validate": "diffpair.cli.validate",
        "report": "diffpair.cli.report",
        "compare": "diffpair.cli.compare",
    },
    "Run": {
        "run": "diffpair.cli.run",
    },
    "Exchange": {
        "export": "diffpair.cli.export",
        "import": "diffpair.cli.import_",
    },
    "Set up": {
        "doctor": "diffpair.cli.doctor",
        "completion": "diffpair.cli.completion",
    },
}
_COMMANDS = {name: module for commands in _SECTIONS.values() for name, module in commands.items()}
_EXAMPLES = (
    "diffpair init rdf.csv --temperature '120 K' --density '21 nm^-3' --mass '39.95 amu'",
    "diffpair fit fit.yaml --out model",
    "diffpair validate model",
    "diffpair run model --steps 1000000 --out run",
)


class _Lazy(Help, click.Group):
    """Loads the module of a command when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name]).command
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by what one does with them, and the options."""
        sections: dict[str, Rows] = {
            title: [(name, self._summary(ctx, name)) for name in commands] for title, commands in _SECTIONS.items()
        }
        records = (parameter.get_help_record(ctx) for parameter in self.get_params(ctx))
        write_sections(formatter, sections | {"Options": [record for record in records if record is not None]})

    def _summary(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return "" if command is None else command.get_short_help_str(limit=100)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"diffpair {__version__}")
        ctx.exit()


@click.group(cls=_Lazy, examples=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
@click.option("--debug", is_flag=True, help="Show the traceback of a problem.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Learn a pair potential from structure and run it in OpenMM.

    'diffpair COMMAND --help' tells of each command, with examples.
    """
    ctx.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Entry point.

    Exit status: 0 done; 1 `validate` or `doctor` has found a failure, or there is a defect of DiffPair; 2 a problem of
    the input or run; 130 interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    warnings.showwarning = _show_warning
    debug = "--debug" in arguments
    color = False if os.environ.get("NO_COLOR") else None  # None: on a terminal
    try:
        status = cli.main(args=arguments, prog_name="diffpair", standalone_mode=False, color=color)
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        # click turns an interrupt into an Abort; a command may have put into it how to go on
        advice = str(error.__cause__ or error)
        _tell(f"interrupted; {advice}" if advice else "interrupted")
        status = 130
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except Exception as error:
        if debug:
            traceback.print_exc()
        status = _explain(error, debug)
    sys.exit(status if isinstance(status, int) else 0)


def _explain(error: Exception, debug: bool) -> int:
    if isinstance(error, DiffPairError) or type(error).__name__ == "OpenMMException":
        _tell(" ".join(str(error).split()))
        return 2
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("diffpair"):
        _tell(f"{error.name} is needed for this command: pip install 'diffpair[learn]'")
        return 2
    if isinstance(error, OSError) and error.filename is not None:
        _tell(f"{error.filename2 or error.filename}: {error.strerror}")
        return 2
    if isinstance(error, ImportError | OSError):
        _tell(" ".join(str(error).split()))
        return 2
    if isinstance(error, MemoryError):
        _tell(f"there is not enough memory for this: {error or 'an allocation failed'}")
        return 2
    hint = "" if debug else "; 'diffpair --debug ...' shows where"
    _tell(f"this is a defect of DiffPair, please report it: {type(error).__name__}: {error}{hint}")
    return 1


def _tell(text: str) -> None:
    click.echo(f"diffpair: {text}", err=True)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning as one sentence, without the source line; deprecations concern developers only."""
    if issubclass(category, DeprecationWarning | PendingDeprecationWarning):
        return
    _tell(f"warning: {message}")
