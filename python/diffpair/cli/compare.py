"""diffpair compare"""

from __future__ import annotations

from pathlib import Path

import click

from diffpair.cli.command import Command


@click.command(
    "compare",
    cls=Command,
    short_help="Put fits side by side in one HTML file.",
    examples=(
        "diffpair compare model-a model-b",
        "diffpair compare fits/* --out comparison.html",
    ),
)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="File of the page; comparison.html by default.")
def command(folders: tuple[Path, ...], out: Path | None) -> None:
    """Put the fits in FOLDERS side by side in one HTML file: their numbers, U(r) and g(r)."""
    from diffpair.report.html import write_comparison

    click.echo(f"wrote {write_comparison(folders, out)}")
