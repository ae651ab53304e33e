"""A target from a trajectory: g(r) by mdtraj, in pieces that fit into memory, with a block estimate of its error."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.tables.document import write_atomically

Array = NDArray[np.float64]

_DISTANCES_AT_ONCE = 10_000_000
_FRAMES_AT_ONCE = 10  # few, so that even a short trajectory splits into blocks
_WITH_TOPOLOGY = (".pdb", ".pdb.gz", ".gro", ".h5", ".cif", ".pdbx", ".mmcif")


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
) -> tuple[Array, Array, Array | None, int]:
    """g(r) between two selections.

    Args:
        trajectories: files in any format of mdtraj, read one after the other.
        topology: structure file for formats that hold none.
        first, second: selections in mdtraj's language; None: pairs within ``first``.
        r_min, r_max, bin_width: nm; the bins fill [r_min, r_max], the width is adjusted to divide it.
        skip: frames left out at the start.
        blocks: number of consecutive blocks whose scatter gives the standard error.

    Returns:
        bin centres in nm [nbins], g [nbins], standard error [nbins] (None with fewer frames than blocks), frames.

    Raises:
        DiffPairError: a file cannot be read, a selection is wrong or empty, there is no box, or it is too small.
    """
    if not r_min < r_max:
        raise DiffPairError(f"--r-min = {r_min:g} nm must be below --r-max = {r_max:g} nm")
    nbins = round((r_max - r_min) / bin_width)
    if nbins < 1:
        raise DiffPairError(f"--bin-width = {bin_width:g} nm is wider than the range of {r_max - r_min:g} nm")
    counted: list[tuple[Array, float, int]] = []  # per piece: g, sum of 1 / volume, frames
    left = skip
    r = np.empty(0)
    pairs: NDArray[np.int64] | None = None
    for piece in _pieces(trajectories, topology, first, second):
        traj = piece[left:]
        left = max(0, left - len(piece))
        if len(traj) == 0:
            continue
        if pairs is None:
            pairs = _pairs(traj.topology, first, second)
        r, g, weight = _count(traj, pairs, (r_min, r_max), nbins)
        counted.append((g, weight, len(traj)))
    if not counted:
        raise DiffPairError(f"{trajectories[0]}: no frames are left after --skip {skip}")
    frames = sum(count for *_, count in counted)
    return r, _average(counted), _block_error(counted, frames, blocks), frames


def write_rdf(path: str | os.PathLike[str], r: Array, g: Array, error: Array | None) -> None:
    """Write a CSV file that read_rdf reads: r in nm, g and, if known, its standard error."""
    columns = [r, g] if error is None else [r, g, error]
    header = "r_nm,g" if error is None else "r_nm,g,error"
    lines = [",".join(f"{value:.8g}" for value in row) for row in zip(*columns, strict=True)]
    write_atomically(Path(path), "\n".join([header, *lines]) + "\n")


def _pieces(trajectories: Sequence[Path], topology: Path | None, first: str, second: str | None) -> Iterator[Any]:
    import mdtraj

    for path in trajectories:
        if not path.is_file():
            raise DiffPairError(f"{path}: no such trajectory")
        holds_topology = path.name.lower().endswith(_WITH_TOPOLOGY)
        if topology is None and not holds_topology:
            raise DiffPairError(f"{path}: holds no topology; give a structure file with --topology")
        options = {} if holds_topology else {"top": str(topology)}
        if topology is not None and not topology.is_file():
            raise DiffPairError(f"{topology}: no such topology")
        try:
            top = mdtraj.load_topology(str(topology if not holds_topology else path))
            size = max(1, min(_FRAMES_AT_ONCE, _DISTANCES_AT_ONCE // len(_pairs(top, first, second))))
            yield from mdtraj.iterload(str(path), chunk=size, **options)
        except DiffPairError:
            raise
        except Exception as error:  # mdtraj's readers raise whatever a broken file makes them raise
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DiffPairError(f"{path}: cannot be read as a trajectory: {reason}") from None


def _pairs(topology: Any, first: str, second: str | None) -> NDArray[np.int64]:
    selected = []
    for text in (first, first if second is None else second):
        try:
            atoms = topology.select(text)
        except Exception:  # the parser of selections raises its own and Python's errors
            raise DiffPairError(f"{text!r} is not a selection that mdtraj understands") from None
        if len(atoms) == 0:
            raise DiffPairError(f"the selection {text!r} matches none of the {topology.n_atoms} atoms")
        selected.append(atoms)
    pairs = topology.select_pairs(*selected)
    if len(pairs) == 0:
        raise DiffPairError(f"the selection {first!r} matches one atom only, which has no pairs")
    return np.asarray(pairs, dtype=np.int64)


def _count(traj: Any, pairs: NDArray[np.int64], r_range: tuple[float, float], nbins: int) -> tuple[Array, Array, float]:
    import mdtraj

    if traj.unitcell_vectors is None:
        raise DiffPairError("the trajectory has no periodic box, which g(r) needs for its normalisation")
    vectors = traj.unitcell_vectors.astype(np.float64)
    half = 0.5 * float(np.min(np.diagonal(vectors, axis1=1, axis2=2)))
    if r_range[1] > half * (1 + 1e-6):
        raise DiffPairError(f"--r-max = {r_range[1]:g} nm is beyond half the box, {half:.4g} nm")
    r, g = mdtraj.compute_rdf(traj, pairs, r_range=r_range, n_bins=nbins)
    return np.asarray(r, dtype=np.float64), np.asarray(g, dtype=np.float64), float(np.sum(1.0 / traj.unitcell_volumes))


def _average(counted: list[tuple[Array, float, int]]) -> Array:
    """mdtraj normalises by the mean of 1 / volume, so pieces are weighted with its sum."""
    total: Array = np.sum([g * weight for g, weight, _ in counted], axis=0) / sum(weight for _, weight, _ in counted)
    return total


def _block_error(counted: list[tuple[Array, float, int]], frames: int, blocks: int) -> Array | None:
    """Standard error from consecutive blocks of about equal numbers of frames."""
    grouped: list[list[tuple[Array, float, int]]] = [[] for _ in range(blocks)]
    done = 0
    for piece in counted:
        grouped[min(blocks - 1, (done + piece[2] // 2) * blocks // frames)].append(piece)
        done += piece[2]
    if not all(grouped):
        return None
    means = np.array([_average(group) for group in grouped])
    error: Array = means.std(axis=0, ddof=1) / np.sqrt(blocks)
    return error
