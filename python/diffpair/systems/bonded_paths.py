"""Bonds, angles and dihedrals of a graph of bonds, by the types along them.

A *kind* of bonded term is the tuple of its particles' types along the chain: two name a bond, three an angle, four a
dihedral. A chain reads alike from both ends, so of the two readings the smaller one, in the order of text, is the kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Kind = tuple[str, ...]


def canonical(types: Sequence[str]) -> Kind:
    """The kind of a chain of these types, whichever end it is read from."""
    kind = tuple(types)
    return min(kind, kind[::-1])


def bonded_paths(bonds: ArrayLike, names: Sequence[str]) -> dict[Kind, NDArray[np.int64]]:
    """Every bond i-j, angle i-j-k and proper dihedral i-j-k-l of a graph of bonds, once, by kind.

    The three particles of an angle differ, and so do the four of a dihedral: a ring of three has no dihedrals.

    Args:
        bonds: indices of particles, [bonds, 2], in any order; repeats do no harm.
        names: type of each particle, [N].

    Returns:
        Chains [n, 2 | 3 | 4] by kind, bonds first, then angles, then dihedrals; particles stand in the order of their
        kind's types, and with the lower index first where the kind reads alike from both ends.

    Examples:
        >>> from diffpair.systems.bonded_paths import bonded_paths
        >>> paths = bonded_paths([(0, 1), (1, 2)], ["A", "B", "A"])
        >>> paths["A", "B"].tolist(), paths["A", "B", "A"].tolist()
        ([[0, 1], [2, 1]], [[0, 1, 2]])
    """
    neighbours: dict[int, list[int]] = {}
    pairs = np.asarray(bonds, dtype=np.int64).reshape(-1, 2)
    edges = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0).tolist()
    for i, j in edges:
        neighbours.setdefault(i, []).append(j)
        neighbours.setdefault(j, []).append(i)
    paths: list[tuple[int, ...]] = [(i, j) for i, j in edges]
    paths += [(i, j, k) for j in sorted(neighbours) for i in neighbours[j] for k in neighbours[j] if i < k]
    paths += [
        (i, j, k, end) for j, k in edges for i in neighbours[j] for end in neighbours[k] if len({i, j, k, end}) == 4
    ]
    found: dict[Kind, list[tuple[int, ...]]] = {}
    for path in paths:
        types = tuple(names[i] for i in path)
        # of two equal readings the one that begins with the lower index
        kind, path = min((types, path), (types[::-1], path[::-1]))
        found.setdefault(kind, []).append(path)
    return {kind: np.array(found[kind], dtype=np.int64) for kind in sorted(found, key=lambda kind: (len(kind), kind))}
