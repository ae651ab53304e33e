"""diffpair target"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


def _length(_: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    from diffpair.errors import DiffPairError
    from diffpair.targets.units import parse

    if value is None:
        return None
    try:
        return parse(value, "nm", "0.9 nm")
    except DiffPairError as error:
        raise DiffPairError(f"--{str(parameter.name).replace('_', '-')}: {error}") from None


@click.command("target")
@click.argument("trajectories", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--topology", type=click.Path(path_type=Path), help="Structure file, if the trajectory does not hold one."
)
@click.option(
    "--select", "first", required=True, metavar="TEXT", help="First selection in mdtraj's language: 'name O'."
)
@click.option("--with", "second", metavar="TEXT", help="Second selection; the first one again if not given.")
@click.option("--r-min", default="0 nm", show_default=True, callback=_length, help="Inner edge of the first bin.")
@click.option("--r-max", required=True, callback=_length, help="Outer edge of the last bin, for example '0.9 nm'.")
@click.option("--bin-width", default="0.01 nm", show_default=True, callback=_length, help="Width of a bin.")
@click.option("--skip", default=0, show_default=True, type=click.IntRange(min=0), help="Frames left out at the start.")
@click.option(
    "--blocks", default=5, show_default=True, type=click.IntRange(min=2), help="Blocks for the error estimate."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV file to write: r in nm, g, error.")
def command(trajectories: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Make a target: the radial distribution function of TRAJECTORIES, by mdtraj."""
    from diffpair.targets.trajectory import rdf_of_trajectory, write_rdf

    r, g, error, frames = rdf_of_trajectory(trajectories, **options)
    write_rdf(out, r, g, error)
    click.echo(f"{out}: g(r) in {len(r)} bins from {frames} frames")
