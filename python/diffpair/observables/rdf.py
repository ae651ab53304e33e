"""The plain-histogram g(r), and counts of any list of pairs. No torch."""

from __future__ import annotations

import numpy as np
from mdtraj.geometry.distance import compute_distances_core
from numpy.typing import ArrayLike, NDArray

from diffpair.observables.pair_histogram import PairCounts, checked_edges, count_types, shell_fractions
from diffpair.observables.pair_numbers import drop_excluded

_DISTANCES_PER_CHUNK = 4_000_000  # bounds the memory of one call: 16 MB of float32


def pair_list(types: ArrayLike, exclusions: ArrayLike | None, pair: tuple[int, int]) -> NDArray[np.int32]:
    """All pairs of particles of two types, each once, without the excluded ones.

    Like pairs: N (N - 1) / 2, unlike: N_a N_b. An excluded pair is left out here, and so out of the distances *and* of
    the ideal-gas count: for molecules that gives the intermolecular g(r), which tends to 1.

    Args:
        types: integer type of each particle, [N].
        exclusions: particles whose pairs do not interact, [E, 2], in any order; repeats do no harm.
        pair: the two types.

    Returns:
        Indices of particles, [pairs, 2].
    """
    kinds = np.asarray(types)
    a, b = pair
    first = np.flatnonzero(kinds == a)
    if a == b:
        i, j = np.triu_indices(len(first), 1)
        pairs = np.stack([first[i], first[j]], axis=1)
    else:
        second = np.flatnonzero(kinds == b)
        pairs = np.stack([np.repeat(first, len(second)), np.tile(second, len(first))], axis=1)
    return drop_excluded(pairs, exclusions, len(kinds)).astype(np.int32)


def count_pairs(
    positions: ArrayLike, boxes: ArrayLike, pairs: NDArray[np.int32], edges: ArrayLike, *, name: str = "the frames"
) -> PairCounts:
    """Histogram the minimum-image distances of `pairs`, any pairs at all, in every frame, by MDTraj.

    Time goes with their number, the square of that of particles; `count_types` is for all pairs of two types.

    Args:
        positions: nm, [F, N, 3], need not be wrapped.
        boxes: box vectors as rows in OpenMM's reduced form, nm, [F, 3, 3] or [3, 3]; triclinic boxes are fine.
        pairs: indices of particles, [pairs, 2], as of `pair_list`.
        edges: evenly spaced bin edges, nm, [B + 1].
        name: what to call the frames in an error.

    Returns:
        The histogram.

    Raises:
        DiffPairError: the edges are not even, or reach beyond half the box.
    """
    x = np.asarray(positions, dtype=np.float64)
    cells = np.broadcast_to(np.asarray(boxes, dtype=np.float64), (len(x), 3, 3))
    grid = checked_edges(edges, cells, name)
    bins = len(grid) - 1
    counts = np.zeros((len(x), bins))
    shortest = np.inf
    step = max(1, _DISTANCES_PER_CHUNK // max(1, len(pairs)))
    for start in range(0, len(x), step):
        chunk = slice(start, start + step)
        # single precision is enough for a distance, not for the coordinates of a particle that has diffused far away
        distances = compute_distances_core(_wrapped(x[chunk], cells[chunk]), pairs, np.array(cells[chunk]))
        for frame, row in enumerate(distances, start):
            counts[frame] = np.histogram(row, bins=bins, range=(grid[0], grid[-1]))[0]
        shortest = min(shortest, float(np.min(distances, initial=np.inf)))
    return PairCounts(counts, len(pairs) * shell_fractions(grid, cells), shortest)


def _wrapped(x: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.float32]:
    """Positions moved into the box by whole box vectors, and only where they are outside it."""
    wrapped = x.copy()
    for axis in (2, 1, 0):
        images = np.floor(wrapped[:, :, axis] / cells[:, None, axis, axis])
        wrapped -= images[:, :, None] * cells[:, None, axis]
    return wrapped.astype(np.float32)


def histogram_rdf(
    positions: ArrayLike,
    boxes: ArrayLike,
    types: ArrayLike,
    exclusions: ArrayLike | None,
    pair: tuple[int, int],
    edges: ArrayLike,
) -> NDArray[np.float64]:
    """g(r) of two types, averaged over frames: the numbers of `mdtraj.compute_rdf` on the same pairs.

    g_k = <n_k> / (P <1/V> V_k), n_k the pairs in bin k, P all pairs of `pair_list`, V_k the bin's shell volume: an
    ideal gas gives 1, and amplitude and density are both kept.

    Args:
        positions: nm, [F, N, 3], need not be wrapped.
        boxes: box vectors as rows in OpenMM's reduced form, nm, [F, 3, 3] or [3, 3]; triclinic boxes are fine.
        types: integer type of each particle, [N].
        exclusions: particles whose pairs do not interact, [E, 2], or None.
        pair: the two types.
        edges: evenly spaced bin edges, nm, [B + 1].

    Returns:
        g of each bin, [B].

    Raises:
        DiffPairError: as `count_types`.

    Examples:
        >>> from diffpair.observables.rdf import histogram_rdf
        >>> gas = np.random.default_rng(1).uniform(0, 4, (20, 500, 3))  # a box of 4 nm
        >>> types, edges = np.zeros(500, dtype=int), np.linspace(0.5, 2, 4)
        >>> histogram_rdf(gas, 4 * np.eye(3), types, None, (0, 0), edges).round(2)
        array([1., 1., 1.])
    """
    return count_types(positions, boxes, types, exclusions, [pair], edges)[0].g()
