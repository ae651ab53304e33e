"""Plain histograms of the distances between particles of two types, counted by the compiled core. No torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import openmm
from numpy.typing import ArrayLike, NDArray

from diffpair._openmm_forces import _countPairs
from diffpair.errors import DiffPairError
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.processors import usable_processors

SLACK = 1 + 1e-6  # bins may end at exactly half the box


@dataclass(frozen=True)
class PairCounts:
    """Histogram of pair distances, frame by frame.

    Args:
        counts: pairs found in each bin, [F, B].
        ideal: pairs that an ideal gas of the same density would have there, [F, B].
        shortest: the shortest distance met, nm; inf without pairs.
    """

    counts: NDArray[np.float64]
    ideal: NDArray[np.float64]
    shortest: float

    def g(self) -> NDArray[np.float64]:
        """g(r), averaged over all frames.

        Returns:
            [B].
        """
        return self.counts.sum(axis=0) / self.ideal.sum(axis=0)


def count_types(
    positions: ArrayLike,
    boxes: ArrayLike,
    types: ArrayLike,
    exclusions: ArrayLike | None,
    pairs: Sequence[tuple[int, int]],
    edges: ArrayLike,
    *,
    name: str = "the frames",
    threads: int | None = None,
) -> list[PairCounts]:
    """Histogram the minimum-image distances of all particles of pairs of types, in one pass for all pairs of types.

    Time and memory are proportional to the number of particles; counts do not depend on the number of threads. A
    distance that is met is one below the last edge.

    Args:
        positions: nm, [F, N, 3], need not be wrapped.
        boxes: box vectors as rows in OpenMM's reduced form, nm, [F, 3, 3] or [3, 3]; triclinic boxes are fine.
        types: integer type of each particle, [N].
        exclusions: particles whose pairs do not interact, [E, 2], in any order; repeats do no harm. They are left out
            here *and* of the ideal gas: for molecules that gives the intermolecular g(r), which tends to 1.
        pairs: of types, in the order of the result.
        edges: evenly spaced bin edges, nm, [B + 1].
        name: what to call the frames in an error.
        threads: frames are counted side by side on so many; by default on as many as OpenMM's CPU platform uses.

    Returns:
        A histogram for each of `pairs`.

    Raises:
        DiffPairError: the edges are not even, or reach beyond half the box; a box or a position is not usable.
    """
    x = np.asarray(positions, dtype=np.float64)
    cells = np.ascontiguousarray(np.broadcast_to(np.asarray(boxes, dtype=np.float64), (len(x), 3, 3)))
    grid = checked_edges(edges, cells, name)
    wanted = np.unique(np.asarray(pairs))
    x, kinds, excluded = _taking_part(x, np.asarray(types), exclusions, wanted)
    numbers = interacting_pairs(kinds, len(wanted), excluded)
    first, second = np.triu_indices(len(wanted))  # the order of the core's pairs of types
    counts = np.empty((len(x), len(first), len(grid) - 1), dtype=np.int64)
    shortest = np.empty((len(x), len(first)))
    try:
        _countPairs(
            x, cells, len(x), kinds, len(kinds), len(wanted), excluded, len(excluded), float(grid[0]), float(grid[-1]),
            len(grid) - 1, threads or default_threads(), counts, shortest,
        )  # fmt: skip
    except openmm.OpenMMException as error:
        raise DiffPairError(f"the RDF of {name}: {error}") from None
    ideal, results = shell_fractions(grid, cells), []
    for pair in pairs:
        a, b = sorted(np.searchsorted(wanted, pair))
        row = int(np.flatnonzero((first == a) & (second == b))[0])
        nearest = float(np.min(shortest[:, row], initial=np.inf))
        results.append(PairCounts(counts[:, row].astype(np.float64), numbers[a, b] * ideal, nearest))
    return results


def checked_edges(edges: ArrayLike, cells: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """The bin edges as an array.

    Args:
        edges: nm, [B + 1].
        cells: boxes, nm, [F, 3, 3].
        name: what to call the frames in an error.

    Returns:
        nm, [B + 1].

    Raises:
        DiffPairError: they are not even, or not within half of every box.
    """
    grid = np.asarray(edges, dtype=np.float64)
    width = np.diff(grid)
    if len(width) == 0 or not np.allclose(width, width[0], rtol=1e-6) or width[0] <= 0:
        raise DiffPairError(f"the bin edges of the RDF of {name} are not an even, rising grid")
    half = 0.5 * np.min(np.diagonal(cells, axis1=1, axis2=2), initial=np.inf)
    if grid[-1] > half * SLACK:
        raise DiffPairError(f"the RDF of {name} reaches to {grid[-1]:g} nm, beyond half the box ({half:g} nm)")
    return grid


def shell_fractions(edges: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Volume of each bin's shell over that of the box.

    Args:
        edges: of the bins, nm, [B + 1].
        cells: boxes, nm, [F, 3, 3].

    Returns:
        [F, B].
    """
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    return np.asarray(shells / np.abs(np.linalg.det(cells))[:, None])


def default_threads() -> int:
    """Threads of OpenMM's CPU platform: OPENMM_CPU_THREADS, or all processors that this process may use."""
    said = os.environ.get("OPENMM_CPU_THREADS", "")
    return int(said) if said.isdigit() and int(said) > 0 else usable_processors()


def _taking_part(
    x: NDArray[np.float64], types: NDArray[np.integer], exclusions: ArrayLike | None, wanted: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
    """Positions, types counted from 0, and exclusions of the particles of the types that are wanted."""
    members = np.flatnonzero(np.isin(types, wanted))
    place = np.full(len(types), -1)
    place[members] = np.arange(len(members))
    pairs = place[np.asarray([] if exclusions is None else exclusions, dtype=np.int64).reshape(-1, 2)]
    excluded = np.ascontiguousarray(pairs[(pairs >= 0).all(axis=1)], dtype=np.int32)
    kinds = np.searchsorted(wanted, types[members]).astype(np.int32)
    return np.ascontiguousarray(x if len(members) == len(types) else x[:, members]), kinds, excluded
