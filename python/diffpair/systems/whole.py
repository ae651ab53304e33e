"""Molecules made whole across the boundary of a periodic box."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from diffpair.systems.nearest_image import nearest_image

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Tree:
    """Bonds from the first particle of every connected part outwards, for making the parts whole across the box.

    Every particle is put at the nearest image to the one that it is bonded to. Where no bond leads to a particle, the
    first of its part is put near the first particle of all.

    Attributes:
        part: [n] number of the first particle of each particle's connected part.
    """

    def __init__(self, bonds: ArrayLike, count: int) -> None:
        i, j = np.asarray(bonds, dtype=np.int64).reshape(-1, 2).T
        i, j = np.concatenate([i, j]), np.concatenate([j, i])
        _, labels = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(count, count)).tocsr())
        roots = np.unique(labels, return_index=True)[1].astype(np.int64)
        self.part: Integers = roots[labels]
        others = roots[roots > 0]
        self._shells = [(others, np.zeros_like(others))] if len(others) else []
        placed = np.isin(np.arange(count), roots)
        while (onwards := placed[i] & ~placed[j]).any():
            particles, first = np.unique(j[onwards], return_index=True)
            self._shells.append((particles, i[onwards][first]))
            placed[particles] = True

    def whole(self, positions: Array, boxes: Array) -> Array:
        """Molecules [F, M, n, 3] without breaks, the first particle of each where it was. boxes: [F, 3, 3], nm."""
        x = positions.copy()
        for particles, near in self._shells:
            x[:, :, particles] = x[:, :, near] + nearest_image(
                positions[:, :, particles] - positions[:, :, near], boxes
            )
        return x


def in_box(x: Array, own: Array, part: Integers, masses: Array, box: Array | None = None) -> Array:
    """Positions [N, 3] nm of whole molecules, each moved by whole box vectors so that its centre of mass is in the box.

    own: [3, 3] nm, the box of x. part: [N] a number for each particle's molecule. box: another box, into which the
    centres go at the same fractions of its vectors.
    """
    of = np.unique(part, return_inverse=True)[1]
    weights = masses / np.bincount(of, masses)[of]
    centres = np.stack([np.bincount(of, weights * x[:, k]) for k in range(3)], axis=1)
    parts = centres @ np.linalg.inv(own)
    moved = (parts - np.floor(parts)) @ (own if box is None else box) - centres
    return np.asarray(x + moved[of])
