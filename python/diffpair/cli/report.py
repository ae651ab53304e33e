"""diffpair report"""

from __future__ import annotations

from pathlib import Path

import click

from diffpair.cli.command import Command


@click.command(
    "report",
    cls=Command,
    short_help="Make the HTML report of a fit.",
    examples=(
        "diffpair report model",
        "diffpair report model --out report.html",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="File of the report; FOLDER/report.html by default.")
def command(folder: Path, out: Path | None) -> None:
    """Report the fit in FOLDER as one HTML file, from its files alone: finished, failed or still at work."""
    from diffpair.report.html import write_report

    click.echo(f"wrote {write_report(folder, out)}")
