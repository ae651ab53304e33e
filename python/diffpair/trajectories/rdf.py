"""A target from a trajectory: g(r) of the pairs that a fit counts, in pieces that fit into memory, with its error."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diffpair.atomic_file import write_atomically
from diffpair.errors import DiffPairError
from diffpair.observables.pair_numbers import drop_excluded
from diffpair.observables.rdf import count_pairs
from diffpair.states.exclusions import DEFAULT_BONDS, bonded_pairs, excluded_pairs, links_of
from diffpair.states.files import read_system
from diffpair.trajectories.files import load_topology, read_frames, select_pairs
from diffpair.trajectories.pieces import Pieces, Sums

Array = NDArray[np.float64]
PairKind = Literal["interacting", "intermolecular", "all"]

_DISTANCES_AT_ONCE = 10_000_000
FRAMES_AT_ONCE = 10  # few, so that even a short trajectory splits into blocks


@dataclass(frozen=True)
class TrajectoryRdf:
    """g(r) of a trajectory.

    Args:
        r: bin centres, nm, [B].
        g: [B].
        error: standard error of g, [B]; None with fewer frames than blocks.
        edge: lower edge of the first bin, nm.
        frames: number that was counted.
        pairs: one sentence on which pairs count.
        density: of all atoms, nm^-3, on average.
    """

    r: Array
    g: Array
    error: Array | None
    edge: float
    frames: int
    pairs: str
    density: float


@dataclass(frozen=True)
class PairChoice:
    """Which pairs of the two selections count.

    Args:
        kind: "interacting": those that a fit counts, all but the excluded ones of a state; "intermolecular": of
            different molecules, which bonds join; "all".
        exclude_bonds: atoms up to so many bonds apart do not count; by default those that `system` excludes, or 3.
        system: file of a System saved with `openmm.XmlSerializer`, whose exclusions or bonds count.

    Raises:
        DiffPairError: keys that do not go together.
    """

    kind: PairKind = "interacting"
    exclude_bonds: int | None = None
    system: Path | None = None

    def __post_init__(self) -> None:
        if self.kind != "interacting" and self.exclude_bonds is not None:
            raise DiffPairError(f"--exclude-bonds goes with --pairs interacting, not with --pairs {self.kind}")
        if self.kind == "all" and self.system is not None:
            raise DiffPairError("--system tells which pairs to leave out, but --pairs all leaves out none")

    def apply(self, pairs: NDArray[np.int64], topology: Any) -> tuple[NDArray[np.int64], str]:
        """Leave out those that do not count.

        Args:
            pairs: all pairs of atoms, [pairs, 2].
            topology: of mdtraj.

        Returns:
            The pairs that count, and a sentence on them.

        Raises:
            DiffPairError: the System is of other atoms, or no pair is left.
        """
        if self.kind == "all":
            return pairs, f"all {len(pairs)}, those within molecules too"
        bonds = [(bond[0].index, bond[1].index) for bond in topology.bonds]
        system = None if self.system is None else read_system(self.system)
        if system is not None and system.getNumParticles() != topology.n_atoms:
            raise DiffPairError(
                f"{self.system} has {system.getNumParticles()} particles, but the topology {topology.n_atoms} atoms"
            )
        source = "the topology" if self.system is None else self.system.name
        if not bonds and system is None and topology.n_residues < topology.n_atoms:
            self._without_bonds()
        if self.kind == "intermolecular":
            excluded = bonded_pairs(links_of(system, bonds), topology.n_atoms)
            rule = f"of different molecules, by the bonds of {source}"
        else:
            excluded = excluded_pairs("the target", system, bonds, self.exclude_bonds)
            reach = DEFAULT_BONDS if self.exclude_bonds is None else self.exclude_bonds
            by_system = self.system is not None and self.exclude_bonds is None
            far = f"more than {reach} bond{'s' if reach != 1 else ''} of {source} apart"
            rule = f"that {source} does not exclude" if by_system else far
        kept = drop_excluded(pairs, excluded, topology.n_atoms).astype(np.int64)
        if not len(kept):
            raise DiffPairError(f"no pair is left {rule}: all {len(pairs)} are within molecules; see --pairs")
        return kept, f"the {len(kept)} {rule}; {len(pairs) - len(kept)} are left out"

    def _without_bonds(self) -> None:
        """Residues of several atoms, and no bond: which pairs are within molecules is then not known."""
        out = "give a file that has bonds (CONECT records of a .pdb, .psf, .prmtop) or --system"
        if self.kind == "intermolecular":
            raise DiffPairError(f"the topology has no bonds, which --pairs intermolecular needs; {out}")
        if self.exclude_bonds != 0:
            warnings.warn(
                f"the topology has residues of several atoms but no bonds: if they are molecules, their inner "
                f"pairs count; {out}",
                stacklevel=2,
            )


def rdf_of_trajectory(
    trajectories: Sequence[Path],
    *,
    topology: Path | None,
    first: str,
    second: str | None,
    r_min: float,
    r_max: float,
    bin_width: float,
    skip: int = 0,
    blocks: int = 5,
    choice: PairChoice | None = None,
    length_unit: float | None = None,
) -> TrajectoryRdf:
    """g(r) between two selections, normalised by the pairs that count, so that it tends to 1.

    Args:
        trajectories: files in any format of mdtraj, read one after the other.
        topology: structure file for formats that hold none.
        first: selection in mdtraj's language.
        second: the other selection; None: pairs within `first`.
        r_min: lower edge of the first bin, nm.
        r_max: upper edge of the last bin, nm; half the box at most.
        bin_width: nm; adjusted to divide the range.
        skip: frames left out at the start.
        blocks: number of consecutive blocks whose scatter gives the standard error.
        choice: which pairs count; by default those that a fit counts.
        length_unit: one unit of length in the trajectories, nm; None: what mdtraj takes it for.

    Returns:
        g(r) with its standard error.

    Raises:
        DiffPairError: a file cannot be read, a selection is wrong or empty, there is no box, or it is too small.
    """
    if not r_min < r_max:
        raise DiffPairError(f"--r-min = {r_min:g} nm must be below --r-max = {r_max:g} nm")
    nbins = round((r_max - r_min) / bin_width)
    if nbins < 1:
        raise DiffPairError(f"--bin-width = {bin_width:g} nm is wider than the range of {r_max - r_min:g} nm")
    edges = np.linspace(r_min, r_max, nbins + 1)
    counted = Pieces()
    left, said, density = skip, "", 0.0
    for path in trajectories:
        top = load_topology(path, topology)
        pairs, said = (choice or PairChoice()).apply(select_pairs(top, [first, second or first]), top)
        size = max(1, min(FRAMES_AT_ONCE, _DISTANCES_AT_ONCE // len(pairs)))
        for positions, boxes in read_frames(path, top, size, length_unit):
            x, cells = positions[left:], boxes[left:]
            left = max(0, left - len(positions))
            if not len(x):
                continue
            half = 0.5 * float(np.min(np.diagonal(cells, axis1=1, axis2=2)))
            if r_max > half * (1 + 1e-6):
                raise DiffPairError(f"--r-max = {r_max:g} nm is beyond half the box, {half:.4g} nm")
            counts = count_pairs(x, cells, pairs.astype(np.int32), edges, name=str(path))
            counted.add(len(x), {"counts": counts.counts.sum(axis=0), "ideal": counts.ideal.sum(axis=0)})
            density += float(np.sum(x.shape[1] / np.linalg.det(cells)))
    if not counted.frames:
        raise DiffPairError(f"{trajectories[0]}: no frames are left after --skip {skip}")
    error = counted.error(ratio, blocks)
    centres = 0.5 * (edges[1:] + edges[:-1])
    return TrajectoryRdf(centres, ratio(counted.total()), error, r_min, counted.frames, said, density / counted.frames)


def write_rdf(path: str | os.PathLike[str], rdf: TrajectoryRdf, comments: Sequence[str] = ()) -> None:
    """Write a CSV file that `diffpair.targets.read_rdf` reads: r in nm, g and, if known, its standard error.

    Args:
        path: file to write.
        rdf: what `rdf_of_trajectory` found.
        comments: lines without their #.

    Raises:
        DiffPairError: the file cannot be written.
    """
    columns = [rdf.r, rdf.g] if rdf.error is None else [rdf.r, rdf.g, rdf.error]
    lines = [f"# {' '.join(comment.split())}" for comment in comments]
    lines.append("r_nm,g" if rdf.error is None else "r_nm,g,error")
    lines += [",".join(f"{value:.8g}" for value in row) for row in zip(*columns, strict=True)]
    write_atomically(Path(path), "\n".join(lines) + "\n")


def ratio(sums: Sums) -> Array:
    """g from sums of the pairs in each bin, `counts`, and of those that an ideal gas would have there, `ideal`."""
    return np.asarray(sums["counts"] / sums["ideal"])
