"""`diffpair map`: from trajectories of atoms to a folder that a fit starts from."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openmm

from diffpair.atomic_file import write_atomically
from diffpair.errors import DiffPairError
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.fit_file import choose, fit_text
from diffpair.mapping.kinds import find_kinds
from diffpair.mapping.measure import Measured, Measurement, Pair, Range
from diffpair.mapping.settings import MapSettings
from diffpair.mapping.structure import check_neutral, structure_file, system_of
from diffpair.mapping.summary import summary_of
from diffpair.mapping.trajectory import BeadsTrajectory
from diffpair.targets.distribution import COORDINATES
from diffpair.trajectories.check import check_made
from diffpair.trajectories.files import Frames, holds_topology, load_topology, read_frames
from diffpair.trajectories.rdf import FRAMES_AT_ONCE, write_rdf

_ATOMS_AT_ONCE = 3_000_000  # of all frames of a piece: 72 MB of positions in double precision

PathLike = str | os.PathLike[str]
CONFIG, SUMMARY, SYSTEM, TRAJECTORY = "fit.yaml", "summary.json", "system.xml", "beads.dcd"


@dataclass(frozen=True)
class Reading:
    """How trajectories are read.

    Args:
        skip: frames left out at the start.
        blocks: number of consecutive blocks whose scatter gives standard errors.
        length_unit: one unit of length in the trajectories, nm; None: what mdtraj takes it for.
    """

    skip: int = 0
    blocks: int = 5
    length_unit: float | None = None


def map_trajectories(
    trajectories: Sequence[PathLike],
    settings: MapSettings,
    out: PathLike,
    *,
    topology: PathLike | None = None,
    r: Range | None = None,
    reading: Reading | None = None,
    beads_trajectory: bool = False,
    progress: Callable[[int], None] = lambda frames: None,
) -> dict[str, Any]:
    """Map trajectories to beads and write the folder `out`.

    Args:
        trajectories: files in any format of mdtraj, read one after the other.
        settings: which atoms a bead stands for.
        out: folder for targets, structure, System and config of a fit; new or empty.
        topology: structure file for formats that hold none.
        r: bins of g(r).
        reading: which frames are read, and how.
        beads_trajectory: also write the beads' positions in all frames.
        progress: is told how many frames were read, piece by piece.

    Returns:
        What summary.json holds.

    Raises:
        DiffPairError: `out` holds files, a file cannot be read, the map does not fit, there is no box, or it is too
            small.
    """
    reading = reading or Reading()
    paths, out = [Path(path) for path in trajectories], Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DiffPairError(
            f"{out}: is there already and holds files, which are not overwritten: choose another folder"
        )
    top = _topology_of(paths, None if topology is None else Path(topology))
    beads = BeadMap(find_kinds(top, settings))
    check_neutral(beads, settings)
    measurement = Measurement(beads, settings.exclude_bonds, settings.intramolecular, r or Range())
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise DiffPairError(f"{out}: cannot be made: {error.strerror or error}") from None
    try:
        with ExitStack() as stack:
            writer = stack.enter_context(BeadsTrajectory(made / TRAJECTORY)) if beads_trajectory else None
            for name, frames in _pieces(paths, top, reading, progress):
                x = measurement.add(frames, name)
                if writer is not None:
                    writer.write(x, frames.boxes)
        measured = measurement.result(reading.blocks)
        document = _write(made, paths, beads, settings, measurement, measured, reading)
        _put_in_place(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return document


def _topology_of(paths: Sequence[Path], topology: Path | None) -> Any:
    """The one topology of all trajectories."""
    top = load_topology(paths[0], topology)
    for path in paths[1:]:
        if holds_topology(path) or holds_topology(paths[0]):
            if load_topology(path, topology) != top:
                raise DiffPairError(f"{path}: its topology is another one than that of {paths[0]}")
        elif not path.is_file():
            raise DiffPairError(f"{path}: no such trajectory")
    return top


def _pieces(
    trajectories: Sequence[Path], topology: Any, reading: Reading, progress: Callable[[int], None]
) -> Iterator[tuple[str, Frames]]:
    """Frames after those that are skipped, with the file that they are from."""
    size = max(1, min(FRAMES_AT_ONCE, _ATOMS_AT_ONCE // topology.n_atoms))
    left, any_frames = reading.skip, False
    for path in trajectories:
        for positions, boxes in read_frames(path, topology, size, reading.length_unit):
            progress(len(positions))
            kept = Frames(positions[left:], boxes[left:])
            left = max(0, left - len(positions))
            if len(kept.positions):
                any_frames = True
                yield str(path), kept
    if not any_frames:
        raise DiffPairError(f"{trajectories[0]}: no frames are left after --skip {reading.skip}")


def _write(
    folder: Path, trajectories: Sequence[Path], beads: BeadMap, settings: MapSettings, measurement: Measurement,
    measured: Measured, reading: Reading,
) -> dict[str, Any]:  # fmt: skip
    chosen = choose(measured, beads, settings.temperature)
    source = f"{measured.frames} frames of {', '.join(path.name for path in trajectories)}"
    files: dict[Pair, str] = {}
    for pair, rdf in measured.rdfs.items():
        files[pair] = f"rdf-{'-'.join(pair)}.csv"
        check_made(Path(files[pair]), rdf, reading.length_unit is not None, "exclude_bonds in the map")
        write_rdf(folder / files[pair], rdf, [f"diffpair map: {'-'.join(pair)}, {source}", rdf.pairs])
    for pair, rdf in measured.all_rdfs.items():
        write_rdf(
            folder / f"rdf-all-{'-'.join(pair)}.csv", rdf, [f"diffpair map: {'-'.join(pair)}, {source}", rdf.pairs]
        )
    bonded: dict[tuple[str, ...], str] = {}
    for one in measured.distributions:
        bonded[one.kind] = f"{COORDINATES[len(one.kind)].name}-{'-'.join(one.kind)}.csv"
        one.write(folder / bonded[one.kind], [f"diffpair map: {'-'.join(one.kind)}, {source}"])
    structure, text = structure_file(beads, measured.positions, measured.box)
    write_atomically(folder / structure, text)
    system = system_of(beads, measured.box, settings.charges, measurement.exclusions, chosen.cutoff)
    write_atomically(folder / SYSTEM, openmm.XmlSerializer.serialize(system))
    heading = [f"Made by diffpair map from {source}."]
    fit = fit_text(measured, beads, settings, chosen, structure, files, bonded, heading)
    write_atomically(folder / CONFIG, fit)
    document = summary_of(measured, beads, settings, chosen, trajectories)
    write_atomically(folder / SUMMARY, json.dumps(document, indent=2) + "\n")
    return document


def _put_in_place(made: Path, out: Path) -> None:
    """The whole folder at once; mkdtemp makes it private, mkdir would not."""
    mask = os.umask(0)
    os.umask(mask)
    try:
        made.chmod(0o777 & ~mask)
        os.replace(made, out)
    except OSError as error:
        raise DiffPairError(f"{out}: cannot be written: {error.strerror or error}") from None
