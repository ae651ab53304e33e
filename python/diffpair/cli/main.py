"""The command group, and how problems reach the user: one sentence and exit status 2, never a traceback.

Commands import what they need when they run, so that ``diffpair --help`` needs neither torch nor OpenMM's plugins.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from importlib import import_module
from typing import TextIO

import click

from diffpair._version import __version__
from diffpair.errors import DiffPairError

_COMMANDS = {
    "init": "diffpair.cli.init",
    "fit": "diffpair.cli.fit",
    "run": "diffpair.cli.run",
    "target": "diffpair.cli.target",
    "map": "diffpair.cli.map",
    "audit": "diffpair.cli.audit",
    "report": "diffpair.cli.report",
    "compare": "diffpair.cli.compare",
    "validate": "diffpair.cli.validate",
    "export": "diffpair.cli.export",
    "import": "diffpair.cli.import_",
    "doctor": "diffpair.cli.doctor",
}


class _Lazy(click.Group):
    """Loads the module of a command when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name]).command
        return command


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"diffpair {__version__}")
        ctx.exit()


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
@click.option("--debug", is_flag=True, help="Show the traceback of a problem.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Learn a pair potential from structure and run it in OpenMM."""
    ctx.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Exit status: 0 done, 2 a problem of the input or run, 1 a defect of DiffPair, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    warnings.showwarning = _show_warning
    debug = "--debug" in arguments
    try:
        status = cli.main(args=arguments, prog_name="diffpair", standalone_mode=False)
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
