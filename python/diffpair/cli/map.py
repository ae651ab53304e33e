"""diffpair map"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from diffpair.cli.command import Command
from diffpair.cli.quantities import length_unit, positive_length


@click.command(
    "map",
    cls=Command,
    short_help="Map a trajectory of atoms to beads.",
    examples=(
        "diffpair map run.dcd --topology top.pdb --map map.yaml --out cg",
        "diffpair map a.xtc b.xtc --topology top.gro --map map.yaml --out cg --skip 100",
    ),
    groups={
        "What is read": ("topology", "file", "skip", "length_unit"),
        "g(r) and errors": ("r_max", "bin_width", "blocks"),
        "What is written": ("out", "beads_trajectory"),
    },
)
@click.argument("trajectories", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--topology", type=click.Path(path_type=Path), help="Structure file, if the trajectory does not hold one."
)
@click.option(
    "--map", "file", required=True, type=click.Path(path_type=Path), help="YAML file: which atoms make which bead."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write; it must be new or empty.")
@click.option("--skip", default=0, show_default=True, type=click.IntRange(min=0), help="Frames left out at the start.")
@click.option(
    "--blocks", default=5, show_default=True, type=click.IntRange(min=2), help="Blocks for the standard errors."
)
@click.option(
    "--r-max",
    metavar="QUANTITY",
    callback=positive_length,
    help="End of g(r); half of the smallest box, 2.5 nm at most, if not given.",
)
@click.option(
    "--bin-width",
    default="0.01 nm",
    show_default=True,
    metavar="QUANTITY",
    callback=positive_length,
    help="Width of a bin of g(r).",
)
@click.option(
    "--length-unit",
    callback=length_unit,
    metavar="LENGTH",
    help="What one unit of length in the trajectory is, '0.34 nm' or angstrom; what the format says if not given.",
)
@click.option("--beads-trajectory", is_flag=True, help="Also write the beads' positions in all frames, beads.dcd.")
def command(
    trajectories: tuple[Path, ...],
    topology: Path | None,
    file: Path,
    out: Path,
    skip: int,
    blocks: int,
    r_max: float | None,
    bin_width: float,
    length_unit: float | None,
    beads_trajectory: bool,
) -> None:
    """Map TRAJECTORIES of atoms, read by mdtraj, to beads.

    Writes targets with errors (g(r), bonds, angles, dihedrals), the beads' structure and System, and fit.yaml, which
    'diffpair fit' takes.
    """
    from rich.console import Console
    from rich.progress import Progress

    from diffpair.mapping import Range, Reading, load_map, map_trajectories
    from diffpair.mapping.summary import lines_of

    settings = load_map(file)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("frames", total=_frames_in(trajectories))
        document = map_trajectories(
            trajectories, settings, out, topology=topology, r=Range(r_max, bin_width),
            reading=Reading(skip, blocks, length_unit), beads_trajectory=beads_trajectory,
            progress=lambda frames: bar.advance(task, frames),
        )  # fmt: skip
    for line in lines_of(document):
        click.echo(line)
    click.echo(f"{out / 'fit.yaml'}: next, diffpair fit {out / 'fit.yaml'} --out model")


def _frames_in(trajectories: Sequence[Path]) -> int | None:
    """Frames of all files, where their formats tell; for the bar alone, so that no mistake is told here."""
    import mdtraj

    count = 0
    for path in trajectories:
        try:
            with mdtraj.open(str(path)) as file:
                count += len(file)
        except Exception:
            return None
    return count
