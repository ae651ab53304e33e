"""What all gradient methods have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.gradients.frame_sums import FrameSums
from diffpair.gradients.target_rows import TargetRows
from diffpair.potentials.base import TableGrid

Array = NDArray[np.float64]


class GradientMethod(Protocol):
    """Turns dL/d<g> into dL/dc. Methods are interchangeable: same states, same frames, same losses.

    A fit asks a method for nothing but what stands here. What only some methods have (noise of their own, numbers that
    change under way) is empty in the others.
    """

    @abstractmethod
    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None,
    ) -> Tensor:  # fmt: skip
        """dL/dc of a loss L(<g>) of one state.

        Args:
            rows: the state and its targets.
            coefficients: the table that made the frames, [npairs, knots + 2] in kJ/mol (Reweighting also takes another
                one and the frames' own table as `reference`). grid: its knots.
            frames: production frames; where `sums` are known, as many as segments start from (`starts`) are enough.
            weights: dL/d<g> at the production average, [rows]. The residual in it must come from the production
                average: squaring each segment's own g would add its variance to the loss.
            sums: of these frames on this grid, where they are known; a method that needs them works them out otherwise.

        Returns:
            [npairs, knots + 2] in 1/(kJ/mol).
        """

    def with_noise(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor, sums: FrameSums
    ) -> tuple[Array, Array | None]:
        """The same, flat, [npairs * (knots + 2)], and its noise, [m, npairs * (knots + 2)]: |noise dc|^2 is the
        variance of gradient . dc; None where nothing tells it."""
        return self(rows, coefficients, grid, frames, weights, sums).flatten().numpy(), None

    @property
    def starts(self) -> int:
        """Whole frames that it wants to start from; a method of averages needs none."""
        return 0

    def describe_forces(self, rows: TargetRows) -> str:
        """How it treats what acts in a state beside the potential, in a line; empty where there is nothing to say."""
        return ""

    def begin(self, iteration: int) -> None:
        """A fit's iteration begins, which has noise of its own: a fit that goes on later finds it again."""
        return None

    def told(self) -> str:
        """What the user should know of the gradients since the last call; empty if nothing."""
        return ""

    def describe(self) -> dict[str, Any]:
        """Numbers that were chosen or counted under way, for reports."""
        return {}

    def set_numbers(self, segments: int, steps: int) -> None:
        """Go on with so many segments of so many steps, as an audit has chosen; a method without any ignores it."""
        return None

    def content(self) -> dict[str, Any]:
        """All that `restore` needs, as plain values."""
        return {}

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
        return None


def spread(parts: Array) -> Array:
    """From equal parts of a mean, [m, n]: their deviations from it, scaled to the noise of that mean."""
    count = len(parts)
    return np.asarray((parts - parts.mean(0)) / np.sqrt(count * (count - 1)))
