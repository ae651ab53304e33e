"""What a state's rows and their gradient need of the frames, and how well it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.statistics import BLOCKS, block_error, block_means

Array = NDArray[np.float64]
SMALL = 1e-12  # part of the largest eigenvalue that is rounding


@dataclass(frozen=True)
class FrameSums:
    """What a state's rows and their gradient need of the frames.

    observables: A per frame, [F, rows]. splines: S = dU/dc per frame, sums over pairs of B_k(r), [F, npairs * (knots +
    2)]. explicit: of the rows that depend on the table itself, dA/dc at fixed positions, row -> [F, npairs * (knots +
    2)]; A is linear in the table.
    """

    observables: Array
    splines: Array
    explicit: dict[int, Array] = field(default_factory=dict)

    @classmethod
    def joined(cls, parts: Sequence[FrameSums]) -> FrameSums:
        """Those of several samplings with the same table, one after another."""
        explicit = {row: np.concatenate([part.explicit[row] for part in parts]) for row in parts[0].explicit}
        observables, splines = (np.concatenate([getattr(p, k) for p in parts]) for k in ("observables", "splines"))
        return cls(observables, splines, explicit)

    def drawn(self, frames: NDArray[np.intp]) -> FrameSums:
        """Those of some of the frames, any of them as often as it is named."""
        explicit = {row: slopes[frames] for row, slopes in self.explicit.items()}
        return FrameSums(self.observables[frames], self.splines[frames], explicit)

    @property
    def mean(self) -> Array:
        """<A>, [rows]."""
        return self.observables.mean(0)

    def at(self, change: Array) -> FrameSums:
        """The same frames with A at a table that differs by `change` [npairs * (knots + 2)], in kJ/mol."""
        if not self.explicit:
            return self
        observables = self.observables.copy()
        for row, slopes in self.explicit.items():
            observables[:, row] += slopes @ change
        return FrameSums(observables, self.splines, self.explicit)

    def standard_error(self) -> Array:
        """Standard error of <A> from block averages, [rows]; inf with a single frame."""
        blocks = min(BLOCKS, len(self.observables))
        if blocks < 2:
            return np.full(self.observables.shape[1], np.inf)
        return block_error(self.observables, blocks)

    def covariance(self) -> Array:
        """Covariance of <A>, [rows, rows]: neighbouring bins of a smooth g share pairs, and all bins move together.

        The mean of two estimates: that from block means, which sees slow motion but knows few blocks, and the
        correlations between rows of single frames, scaled to the blocks' variances. 0 with a single frame.
        """
        frames, rows = self.observables.shape
        blocks = min(BLOCKS, frames)
        if blocks < 2:
            return np.zeros((rows, rows))
        means = block_means(self.observables, blocks)
        means = means - means.mean(0)
        slow = means.T @ means / (blocks * (blocks - 1))
        a = self.observables - self.mean
        single = a.T @ a / (frames - 1)
        spread = np.sqrt(np.diag(single))
        error = np.sqrt(np.diag(slow))
        scale = np.divide(error, spread, out=np.zeros(rows), where=spread > 0)
        return np.asarray(0.5 * (slow + scale[:, None] * single * scale))

    def jacobian_doubt(self, beta: float, sigma: Array) -> Array:
        """Noise of the fluctuation Jacobian, [m, npairs * (knots + 2)]: |doubt dc|^2 = sum_i var(J dc)_i / sigma_i^2.

        From the scatter of what blocks of the frames add to it. Errors of A that are known from blocks, put into
        var(A_i) var(X) / n, the formula for n independent frames, say 1.7 times as much for a liquid: a product of two
        fluctuations forgets faster than each of them. 0 with a single frame.
        """
        blocks = min(BLOCKS, len(self.observables))
        width = self.splines.shape[1]
        if blocks < 2:
            return np.zeros((0, width))
        length = len(self.observables) // blocks
        a, s = (self.observables - self.mean) / sigma, self.splines - self.splines.mean(0)
        total = np.zeros((width, width))
        mean = np.zeros((len(sigma), width))
        for k in range(len(a) - blocks * length, len(a), length):
            part = -beta / length * (a[k : k + length].T @ s[k : k + length])
            for row, slopes in self.explicit.items():
                part[row] += slopes[k : k + length].mean(0) / sigma[row]
            mean += part / blocks
            total += part.T @ part
        values, vectors = np.linalg.eigh((total - blocks * mean.T @ mean) / (blocks * (blocks - 1)))
        keep = values > SMALL * values[-1]
        return np.asarray(np.sqrt(values[keep])[:, None] * vectors[:, keep].T)
