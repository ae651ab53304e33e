"""Counts of a bond length or an angle in narrow bins, and the distribution in bins that suit it."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from diffpair.systems.bonded_paths import Kind
from diffpair.targets.distribution import COORDINATES, FEWEST_BINS, Distribution, bin_counts
from diffpair.trajectories.pieces import Pieces, Sums

Array = NDArray[np.float64]

LONGEST = 5.0  # nm; no bond of beads is as long
_NARROW = {2: 0.0005, 3: np.pi / 720, 4: np.pi / 180}  # nm, radians: bins that are counted
_BINS = 60  # of a bond or angle between its quantiles: some ten to a standard deviation
_TAILS = 1e-3  # beyond these quantiles, which single visits would widen
_LEAST = 2  # narrow bins in one of the distribution: files of trajectories round positions to 0.001 nm
_DIHEDRAL = 5  # narrow bins, so degrees, in one of a dihedral's
# Standard deviations of what a constraint holds, once positions are rounded to 0.001 nm; the stiffest bonds and angles
# of atoms vary five times as much.
_CONSTANT = {2: 6e-4, 3: 6e-3, 4: 6e-3}  # nm, radians


class BondedHistogram:
    """How often the coordinate of a kind of bonded terms has which value.

    Attributes:
        kind: types along the chain. paths: [n, 2 | 3 | 4] of beads.
    """

    def __init__(self, kind: Kind, paths: NDArray[np.int64]) -> None:
        self.kind, self.paths = kind, paths
        self._low = -np.pi if len(kind) == 4 else 0.0
        self._width = _NARROW[len(kind)]
        highest = LONGEST if len(kind) == 2 else np.pi
        self._bins = round((highest - self._low) / self._width)
        self._edges = np.linspace(self._low, highest, self._bins + 1)
        self._pieces = Pieces()

    def add(self, values: Array) -> None:
        """Values [F, n] of further frames, nm or radians."""
        counts = bin_counts(values.reshape(1, -1), self._edges)[0]
        moments = np.array([values.size, values.sum(), np.sum(values**2)])
        self._pieces.add(len(values), {"counts": counts, "moments": moments})

    def distribution(self, blocks: int) -> Distribution:
        """p and its standard error from blocks.

        Warns
        -----
        UserWarning: the coordinate hardly varies, as one that a constraint holds.
        """
        total = self._pieces.total()
        counts, (number, first, second) = total["counts"], total["moments"]
        spread = np.sqrt(max(0.0, second / number - (first / number) ** 2))
        if spread < _CONSTANT[len(self.kind)]:
            of = COORDINATES[len(self.kind)]
            warnings.warn(
                f"the {of.name} {'-'.join(self.kind)} is {first / number / of.unit:.4g} {of.unit_name} in all frames, "
                f"as a constraint holds it: a potential that is learned cannot do that; give the beads a constraint or "
                f"choose other beads",
                stacklevel=3,
            )
        step, low, high = self._grid(counts)
        width = step * self._width

        def density(sums: Sums) -> Array:
            inside = sums["counts"][low * step : high * step].reshape(-1, step).sum(axis=1)
            return np.asarray(inside / (inside.sum() * width))

        edges = self._low + np.float64(width) * np.arange(low, high + 1, dtype=np.float64)
        return Distribution(self.kind, edges, density(total), self._pieces.error(density, blocks))

    def _grid(self, counts: Array) -> tuple[int, int, int]:
        """Narrow bins in one of the distribution, and the latter's range: what was visited and an empty bin beyond."""
        if len(self.kind) == 4:
            return _DIHEDRAL, 0, self._bins // _DIHEDRAL
        share = np.cumsum(counts) / counts.sum()
        span = int(np.searchsorted(share, 1 - _TAILS) - np.searchsorted(share, _TAILS))
        wanted = max(_LEAST, round(span / _BINS))
        # bins of an angle have to end at 180 degrees
        step = max(k for k in range(1, wanted + 1) if self._bins % k == 0)
        visited = np.flatnonzero(counts) // step
        low, high = max(0, int(visited[0]) - 1), min(self._bins // step, int(visited[-1]) + 2)
        high = max(high, min(self._bins // step, low + FEWEST_BINS))
        return step, max(0, min(low, high - FEWEST_BINS)), high
