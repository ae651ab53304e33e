"""What all gradient methods have in common."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.gradients.fluctuation import FrameSums
from diffpair.gradients.target_rows import TargetRows
from diffpair.potentials.base import TableGrid


class GradientMethod(Protocol):
    """Turns dL/d<g> into dL/dc. Methods are interchangeable: same states, same frames, same losses."""

    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None,
    ) -> Tensor:  # fmt: skip
        """dL/dc of a loss L(<g>) of one state.

        Args:
            rows: the state and its targets.
            coefficients: the table that made the frames, [npairs, knots + 2] in kJ/mol (Reweighting also takes another
                one and the frames' own table as `reference`). grid: its knots.
            frames: production frames.
            weights: dL/d<g> at the production average, [rows]. The residual in it must come from the production
                average: squaring each segment's own g would add its variance to the loss.
            sums: of these frames on this grid, where they are known; a method that needs them works them out otherwise.

        Returns:
            [npairs, knots + 2] in 1/(kJ/mol).
        """
        ...
