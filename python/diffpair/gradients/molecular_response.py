"""How distributions within molecules answer to bonded terms, molecule by molecule.

d<A>/dc = -beta cov(A, S) with A = sum_m A_m and S = sum_m S_m over the M molecules of a liquid. The covariances of
different molecules are small, but have the noise of M (M - 1) terms; those of each molecule with itself are nearly all
of it. So sum_m cov(A_m, S_m) alone is a Jacobian with hardly any noise and a small error: a prior for the whole one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from diffpair.bonded import BondedTerm
from diffpair.gradients.rows import FrameTensors
from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.states import State
from diffpair.targets.distribution import grouped_bin_counts

Array = NDArray[np.float64]
HELD = 4_000_000  # numbers of a piece: 32 MB
FEWEST = 8  # molecules of a kind: fewer do not tell a covariance


class MolecularResponse:
    """sum over molecules of cov(A_m, S_m), of the target distributions and learned terms of a state.

    Args:
        state: with the atoms that have a type only. terms: those that are learned. scales: what p is divided by in a
            row, per target.

    Attributes:
        known: whether there are enough molecules of every kind.
    """

    def __init__(self, state: State, terms: Sequence[BondedTerm], scales: Sequence[float]) -> None:
        self._targets, self._scales = state.distributions, scales
        paths = state.paths if terms or state.distributions else {}
        size = (state.num_atoms, state.num_atoms)
        links = coo_array((np.ones(len(state.bonds)), tuple(state.bonds.T)), shape=size)
        molecule = connected_components(links, directed=False)[1] if paths else np.zeros(state.num_atoms, dtype=int)
        self._of_targets = [(paths[t.kind], molecule[paths[t.kind][:, 0]]) for t in state.distributions]
        present = [(term, paths.get(term.kind)) for term in terms]
        self._of_terms = [(term, p, None if p is None else molecule[p[:, 0]]) for term, p in present]
        found = [where for _, where in self._of_targets]
        found += [where for _, _, where in self._of_terms if where is not None]
        self._kinds = _alike(molecule, found)
        sizes = np.bincount(self._kinds[self._kinds >= 0]) if len(self._kinds) else np.zeros(0)
        self.known = bool(len(sizes) and sizes.min() >= FEWEST and state.distributions and terms)
        self._molecules = int(molecule.max(initial=-1)) + 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return sum(len(t.p) for t in self._targets), sum(len(term.values) for term, *_ in self._of_terms)

    def of_frames(self, frames: FrameTensors) -> Array:
        """Sum over molecules of the covariances, mean over the frames: [rows, columns]."""
        x, boxes = frames.x.numpy(), frames.boxes.numpy()
        step = max(1, HELD // max(1, self._molecules * sum(self.shape)))
        total = np.zeros(self.shape)
        for start in range(0, len(x), step):
            total += self._sum(x[start : start + step], boxes[start : start + step])
        return total / len(x)

    def _sum(self, x: Array, boxes: Array) -> Array:
        count, frames = self._molecules, len(x)
        rows = [
            grouped_bin_counts(bonded_coordinates(x, boxes, paths), target.edges, where, count)
            / (len(paths) * target.width * scale)
            for target, scale, (paths, where) in zip(self._targets, self._scales, self._of_targets, strict=True)
        ]
        columns = [
            np.zeros((frames, count, len(term.values)))
            if paths is None or where is None
            else term.grouped_sums(bonded_coordinates(x, boxes, paths), where, count)
            for term, paths, where in self._of_terms
        ]
        a, s = np.concatenate(rows, axis=2), np.concatenate(columns, axis=2)
        result = np.zeros(self.shape)
        for kind in range(int(self._kinds.max(initial=-1)) + 1):
            members = np.flatnonzero(self._kinds == kind)
            one, other = a[:, members], s[:, members]
            one, other = one - one.mean((0, 1)), other - other.mean((0, 1))
            result += np.tensordot(one, other, axes=((0, 1), (0, 1)))
        return result


def _alike(molecule: NDArray[np.integer], found: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    """Kind of every molecule: alike are those with as many coordinates of each sort; -1 of those without any, [M]."""
    count = int(molecule.max(initial=-1)) + 1
    if not found:
        return np.full(count, -1)
    numbers = np.stack([np.bincount(where, minlength=count) for where in found], axis=1)
    kinds, some = np.full(count, -1), numbers.any(1)
    kinds[some] = np.unique(numbers[some], axis=0, return_inverse=True)[1].ravel()
    return kinds
