"""The equilibrium gradient from fluctuations."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.engines.statistics import BLOCKS, block_means
from diffpair.errors import DiffPairError
from diffpair.gradients.base import GradientMethod, spread
from diffpair.gradients.frame_sums import FrameSums
from diffpair.gradients.target_rows import TargetRows
from diffpair.potentials.base import TableGrid

Array = NDArray[np.float64]


class Fluctuation(GradientMethod):
    """d<A>/dc = <dA/dc> - beta cov(A, S), exact in equilibrium for any static observable A, with a volume that is
    constant or fluctuates under a barostat.

    g(r) depends on c through the ensemble alone, so the explicit term <dA/dc> is 0 for it, but not for the pressure.
    With n frames the covariance has a relative noise of about 1/sqrt(n).

    Args:
        single: distances in float32, which changes a frame's g(r) by some 1e-6 and takes half the time.
    """

    def __init__(self, single: bool = False) -> None:
        self.single = single

    def sums(self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames) -> FrameSums:
        """A and S of every frame; A at the table `coefficients` [npairs, knots + 2]."""
        observables, splines = rows.of_frames(frames, coefficients, grid, self.single)
        return FrameSums(observables, splines, rows.explicit(frames, grid))

    def jacobian(self, sums: FrameSums, beta: float) -> Array:
        """d<A>/dc, [rows, npairs * (knots + 2)], of frames at 1/kT = beta in mol/kJ.

        Raises DiffPairError with fewer than two frames.
        """
        count = len(sums.observables)
        if count < 2:
            raise DiffPairError(f"the fluctuation gradient needs 2 or more frames, not {count}")
        a = sums.observables - sums.mean
        s = sums.splines - sums.splines.mean(0)
        jacobian = np.asarray(-beta / (count - 1) * (a.T @ s))
        for row, slopes in sums.explicit.items():
            jacobian[row] += slopes.mean(0)
        return jacobian

    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None,
    ) -> Tensor:  # fmt: skip
        """See GradientMethod. Only the weighted covariance is formed, not the Jacobian."""
        sums = sums or self.sums(rows, coefficients.detach(), grid, frames)
        gradient = self.contributions(sums, weights.detach().numpy(), rows.state.beta).mean(0)
        return torch.from_numpy(gradient).reshape(coefficients.shape)

    def with_noise(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor, sums: FrameSums
    ) -> tuple[Array, Array | None]:
        """See GradientMethod: the noise is the spread of blocks of frames."""
        each = self.contributions(sums, weights.detach().numpy(), rows.state.beta)
        return each.mean(0), spread(block_means(each)) if len(each) >= BLOCKS else None

    def contributions(self, sums: FrameSums, weights: Array, beta: float) -> Array:
        """What each frame adds to w . d<A>/dc: [F, npairs * (knots + 2)], whose mean is that gradient.

        Their scatter tells its noise. Raises DiffPairError with fewer than two frames.
        """
        count = len(sums.observables)
        if count < 2:
            raise DiffPairError(f"the fluctuation gradient needs 2 or more frames, not {count}")
        weighted = sums.observables @ weights
        factor = -beta * count / (count - 1)
        result = (factor * (weighted - weighted.mean()))[:, None] * (sums.splines - sums.splines.mean(0))
        for row, slopes in sums.explicit.items():
            result += weights[row] * slopes
        return np.asarray(result)
