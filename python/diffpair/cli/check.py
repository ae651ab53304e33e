"""diffpair target --check"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diffpair.cli.command import Command

if TYPE_CHECKING:
    from diffpair.targets.reading import Choice


_FIGURES = (".png", ".pdf", ".svg", ".jpg", ".eps")


def _choice(columns: str | None, block: str | None) -> Choice:
    from diffpair.errors import DiffPairError, shortened
    from diffpair.targets.reading import Choice

    given: dict[str, int | str | bool | None] = {}
    for part in (columns or "").split(",") if columns else ():
        name, _, value = (text.strip() for text in part.partition("="))
        if name not in ("r", "g", "error") or not value or name in given:
            raise DiffPairError(
                f"--columns: {part.strip()!r} should be r, g or error, each once, as in 'r=1,g=2,error=none'"
            )
        none = name == "error" and value.lower() == "none"
        given[name] = False if none else int(value) if value.isdecimal() and len(value) < 10 else value
    if block is not None and not (
        block in ("last", "average") or (block.isdecimal() and len(block) < 10 and int(block) >= 1)
    ):
        raise DiffPairError(f"--block: must be a number from 1, last or average, not {shortened(block)}")
    number = int(block) if block is not None and block.isdecimal() else block
    x, y = given.get("r"), given.get("g")
    assert not isinstance(x, bool) and not isinstance(y, bool)
    return Choice(x, y, given.get("error"), number)


@click.command(
    "target --check",
    cls=Command,
    short_help="Draw what a fit would understand of a file.",
    examples=(
        "diffpair target --check rdf.csv",
        "diffpair target --check rdf.dat --r-unit angstrom --columns r=1,g=3,error=none",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--r-unit", metavar="UNIT", help="Unit of r in the file; by default what its header says, or nm.")
@click.option("--columns", metavar="TEXT", help="Which column is what, by number or name: 'r=1,g=2,error=none'.")
@click.option("--block", metavar="N", help="Which of several blocks of rows: a number, last or average.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Figure to write; NAME.png in the current folder if not given."
)
def command(file: Path, r_unit: str | None, columns: str | None, block: str | None, out: Path | None) -> None:
    """Say and draw what a fit would understand of FILE as a target g(r)."""
    from diffpair.errors import DiffPairError
    from diffpair.targets.check import check_file, plot_check

    figure = out or Path(f"{file.name}.png")
    if figure.suffix.lower() not in _FIGURES:
        raise DiffPairError(f"--out: {figure} must end in one of {', '.join(_FIGURES)}")
    read, lines = check_file(file, r_unit, _choice(columns, block))
    for line in lines:
        click.echo(line)
    plot_check(figure, read, lines)
    click.echo(f"drawn in {figure}")


class MakesOrChecks(Command):
    """``diffpair target``, which with ``--check`` is the command of this module and needs none of its own options."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command that the arguments mean."""
        checks = [argument for argument in args if argument == "--check" or argument.startswith("--check=")]
        if not checks:
            return super().make_context(info_name, args, parent, **extra)
        left = [argument.removeprefix("--check=") for argument in args if argument != "--check"]
        return command.make_context(f"{info_name} --check", left, parent, **extra)
