"""The gradient of reweighted averages: frames of one table seen as frames of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients.base import GradientMethod
from diffpair.gradients.fluctuation import Fluctuation
from diffpair.gradients.frame_sums import FrameSums
from diffpair.gradients.target_rows import TargetRows
from diffpair.potentials.base import TableGrid

Array = NDArray[np.float64]


class TooFewFrames(DiffPairError):
    """The frames' effective number is below the threshold: they say too little of the present table."""


@dataclass(frozen=True)
class ReweightedFrames:
    """Frames with the weight that each has under another table, p_i ~ exp(-beta S_i . (c - c_reference)).

    The energy is linear in the table, U = S . c, so the weights are exact (free energy perturbation; for learning:
    DiffTRe, Thaler and Zavadlav, Nat. Commun. 12, 6884 (2021)).

    sums: S of the frames, and A at the other table. probabilities: p, [F], adding up to 1. beta: 1/kT in mol/kJ.
    """

    sums: FrameSums
    probabilities: Array
    beta: float

    @classmethod
    def of(cls, sums: FrameSums, change: Array, beta: float) -> ReweightedFrames:
        """Seen with a table that differs by `change` [npairs * (knots + 2)], in kJ/mol, from the one that was run.

        Raises DiffPairError if the weights are not finite.
        """
        if not len(sums.observables):
            raise DiffPairError("reweighting needs at least one frame")
        with np.errstate(invalid="ignore", over="ignore"):  # of a table that is not finite
            energy = beta * (sums.splines @ change)
        if not np.isfinite(energy).all():
            raise DiffPairError("the frames cannot be reweighted: an energy under the present table is not finite")
        weights = np.exp(energy.min() - energy)
        return cls(sums.at(change), weights / weights.sum(), beta)

    @property
    def effective(self) -> float:
        """Effective number of frames as a part of all frames: Kish's (sum w)^2 / sum w^2 over F, between 1/F and 1."""
        return float(1 / np.sum(self.probabilities**2) / len(self.probabilities))

    @property
    def mean(self) -> Array:
        """<A> under the present table, [rows]."""
        return self.probabilities @ self.sums.observables

    def gradient(self, weights: Array) -> Array:
        """d(w . <A>)/dc = <w . dA/dc> - beta cov_p(w . A, S), the exact derivative of w . mean, [npairs * (knots +
        2)]."""
        weighted = self.sums.observables @ weights
        p = self.probabilities
        # both factors are centred: less is lost to cancellation than with one of them
        splines = self.sums.splines - p @ self.sums.splines
        gradient = -self.beta * ((p * (weighted - p @ weighted)) @ splines)
        for row, slopes in self.sums.explicit.items():
            gradient += weights[row] * (p @ slopes)
        return np.asarray(gradient)


class Reweighting(GradientMethod):
    """dL/dc of averages over frames that an earlier table, the reference, has made.

    At the reference this is the fluctuation gradient (its 1/n instead of 1/(n - 1)). From there on several updates need
    no further sampling, until so few frames carry the weight that the averages are noise: then it refuses.

    Args:
        min_effective: the smallest effective number of frames, as a part of all frames, that is still trusted.
        updates: at most so many updates of a fit per sampling.
    """

    def __init__(self, min_effective: float = 0.1, updates: int = 100) -> None:
        if not 0 < min_effective <= 1 or updates < 1:
            raise DiffPairError(
                f"reweighting needs min_effective above 0 and up to 1 and 1 or more updates, not "
                f"min_effective = {min_effective:g} and updates = {updates}"
            )
        self.min_effective, self.updates = min_effective, updates

    def reweight(self, rows: TargetRows, sums: FrameSums, coefficients: Array, reference: Array) -> ReweightedFrames:
        """The frames that `reference` has made as those of `coefficients`. Raises TooFewFrames below the threshold."""
        frames = ReweightedFrames.of(sums, np.ravel(coefficients - reference), rows.state.beta)
        if frames.effective < (1 - 1e-9) * self.min_effective:  # equal weights give 1 but for rounding
            count = len(sums.observables)
            raise TooFewFrames(
                f"the {count} frames of state {rows.state.name!r} count as {frames.effective * count:.1f} under the "
                f"present potential, below the {self.min_effective * count:.1f} that reweighting wants "
                f"(min_effective = {self.min_effective:g}): sample anew"
            )
        return frames

    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None, *, reference: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """See GradientMethod; `weights` is dL/d<g> at the reweighted average.

        reference: the table that made the frames, where that is not `coefficients`. Raises TooFewFrames.
        """
        made_by = coefficients if reference is None else reference
        sums = sums or Fluctuation().sums(rows, made_by.detach(), grid, frames)
        if len(sums.observables) < 2:
            raise DiffPairError(f"the reweighting gradient needs 2 or more frames, not {len(sums.observables)}")
        seen = self.reweight(rows, sums, coefficients.detach().numpy(), made_by.detach().numpy())
        return torch.from_numpy(seen.gradient(weights.detach().numpy())).reshape(coefficients.shape)
