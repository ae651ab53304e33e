"""Which pairs of particles count: NumPy alone, for states, targets, production and the smooth RDF alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def interacting_pairs(types: ArrayLike, num_types: int, exclusions: ArrayLike | None) -> NDArray[np.float64]:
    """Numbers of pairs of particles of each pair of types, excluded ones taken off.

    Like pairs: N (N - 1) / 2, unlike: N_a N_b; none for a type of one particle with itself.

    Args:
        types: integer type of each particle, [N]; negative ones take no part.
        num_types: number of types, T.
        exclusions: particles whose pairs do not interact, [E, 2], in any order; repeats do no harm.

    Returns:
        [T, T], symmetric.

    Examples:
        >>> from diffpair.observables.pair_numbers import interacting_pairs
        >>> interacting_pairs([0, 0, 0, 1], 2, exclusions=[(0, 1)])
        array([[2., 3.],
               [3., 0.]])
    """
    kinds = np.asarray(types, dtype=np.int64)
    counts = np.bincount(kinds[kinds >= 0], minlength=num_types).astype(np.float64)
    matrix: NDArray[np.float64] = np.outer(counts, counts)
    matrix[np.diag_indices(num_types)] = counts * (counts - 1) / 2
    excluded = np.sort(_pairs(exclusions), axis=1)
    excluded = np.unique(excluded[excluded[:, 0] != excluded[:, 1]], axis=0)
    low, high = np.sort(kinds[excluded], axis=1)[kinds[excluded].min(axis=1) >= 0].T
    np.subtract.at(matrix, (low, high), 1)
    above = np.triu(matrix)
    return above + np.triu(above, 1).T


def drop_excluded(pairs: NDArray[np.integer], exclusions: ArrayLike | None, count: int) -> NDArray[np.integer]:
    """The pairs that are not excluded.

    Args:
        pairs: of particles, [pairs, 2].
        exclusions: pairs of particles to leave out, [E, 2], in any order.
        count: N, number of all particles.

    Returns:
        Those that are left, in their order.
    """
    excluded = _pairs(exclusions)
    if not len(excluded) or not len(pairs):
        return pairs
    wanted, known = _keys(pairs, count), np.unique(_keys(excluded, count))
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return pairs[known[place] != wanted]


def _pairs(exclusions: ArrayLike | None) -> NDArray[np.int64]:
    return np.asarray([] if exclusions is None else exclusions, dtype=np.int64).reshape(-1, 2)


def _keys(pairs: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    return pairs.min(axis=1).astype(np.int64) * count + pairs.max(axis=1)
