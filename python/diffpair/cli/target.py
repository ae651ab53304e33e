"""diffpair target"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from diffpair.cli.check import MakesOrChecks
from diffpair.cli.quantities import length, length_unit


@click.command(
    "target",
    cls=MakesOrChecks,
    short_help="Make a target g(r) from a trajectory, or check a file.",
    examples=(
        "diffpair target run.dcd --topology top.pdb --select 'name O' --r-max '0.9 nm' --out oo.csv",
        "diffpair target run.xtc --topology top.gro --select 'name NA' --with 'name CL' \\\n"
        "      --r-max '1 nm' --out nc.csv",
        "diffpair target --check oo.csv",
    ),
    groups={
        "Which pairs": ("first", "second", "kind", "exclude_bonds", "system"),
        "What is read": ("topology", "length_unit", "skip", "check"),
        "g(r)": ("r_min", "r_max", "bin_width", "blocks", "out"),
    },
)
@click.argument("trajectories", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--topology", type=click.Path(path_type=Path), help="Structure file, if the trajectory does not hold one."
)
@click.option(
    "--select", "first", required=True, metavar="TEXT", help="First selection in mdtraj's language: 'name O'."
)
@click.option("--with", "second", metavar="TEXT", help="Second selection; the first one again if not given.")
@click.option(
    "--pairs",
    "kind",
    default="interacting",
    show_default=True,
    type=click.Choice(["interacting", "intermolecular", "all"]),
    help="Pairs that count: all but those that a fit excludes, those of different molecules, or all.",
)
@click.option(
    "--exclude-bonds",
    type=click.IntRange(min=0),
    help="Leave out pairs up to so many bonds apart, as a state's exclude_bonds does; 3 if not given.",
)
@click.option(
    "--system", type=click.Path(path_type=Path), help="XML of an OpenMM System: leave out the pairs that it excludes."
)
@click.option(
    "--length-unit",
    callback=length_unit,
    metavar="LENGTH",
    help="What one unit of length in the trajectory is, '0.34 nm' or angstrom; what the format says if not given.",
)
@click.option(
    "--r-min",
    default="0 nm",
    show_default=True,
    metavar="QUANTITY",
    callback=length,
    help="Inner edge of the first bin.",
)
@click.option(
    "--r-max",
    required=True,
    metavar="QUANTITY",
    callback=length,
    help="Outer edge of the last bin, for example '0.9 nm'.",
)
@click.option(
    "--bin-width", default="0.01 nm", show_default=True, metavar="QUANTITY", callback=length, help="Width of a bin."
)
@click.option("--skip", default=0, show_default=True, type=click.IntRange(min=0), help="Frames left out at the start.")
@click.option(
    "--blocks", default=5, show_default=True, type=click.IntRange(min=2), help="Blocks for the error estimate."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV file to write: r in nm, g, error.")
@click.option(
    "--check",
    metavar="FILE",
    expose_value=False,
    help="Make nothing; say and draw what a fit would understand of a file ('--check --help' has its options).",
)
def command(trajectories: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Make a target: the radial distribution function of TRAJECTORIES, read by mdtraj.

    It is that of the pairs that a fit counts: those that are at most three bonds apart are left out, or those that
    --system excludes.
    """
    _make(trajectories, out, **options)


def _make(
    trajectories: tuple[Path, ...], out: Path, kind: Any, exclude_bonds: int | None, system: Path | None, **options: Any
) -> None:
    from diffpair.trajectories.check import check_made
    from diffpair.trajectories.files import ANY_UNITS, assumed_length
    from diffpair.trajectories.rdf import PairChoice, rdf_of_trajectory, write_rdf

    choice = PairChoice(kind, exclude_bonds, system)
    rdf = rdf_of_trajectory(trajectories, choice=choice, **options)
    check_made(out, rdf, options["length_unit"] is not None)
    first, second = options["first"], options["second"] or options["first"]
    files = ", ".join(path.name for path in trajectories)
    said = f"pairs: {rdf.pairs}"
    write_rdf(out, rdf, [f"diffpair target: {first!r} with {second!r}, {rdf.frames} frames of {files}", said])
    click.echo(f"{out}: g(r) in {len(rdf.r)} bins from {rdf.frames} frames; {said}")
    for path in trajectories:
        if options["length_unit"] is None and path.name.lower().endswith(ANY_UNITS):
            unit = "nm" if assumed_length(path) == 1 else "Angstrom"
            click.echo(f"{path}: its lengths are taken for {unit}; --length-unit says otherwise")
            break
