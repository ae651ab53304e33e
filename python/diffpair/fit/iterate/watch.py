"""The adjoint gradient of a fit, watched: what has become chaos is left out, and the user is told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from diffpair.engines import Frames
from diffpair.gradients import (
    Chaos,
    DiscreteAdjoint,
    FrameSums,
    GradientMethod,
    SegmentGradient,
    SegmentProducts,
    TargetRows,
    segment_products,
)
from diffpair.gradients.base import spread
from diffpair.potentials import TableGrid
from diffpair.settings.gradient import BATCHES

Array = NDArray[np.float64]
Measured = TypeVar("Measured")


class WatchedAdjoint(GradientMethod):
    """The discrete adjoint that halves its segments, for the rest of the fit, where most of them have become chaos.

    The potential changes under way, and with it the length that segments may have. Single segments above the limit are
    left out. `notes` collects what happened, one sentence each, `count` the backward passes through all segments of a
    state.
    """

    def __init__(self, method: DiscreteAdjoint) -> None:
        self.method = method
        self.notes: list[str] = []
        self.draw = 0
        self.count = 0

    @property
    def starts(self) -> int:
        """See GradientMethod."""
        return self.method.starts

    def describe_forces(self, rows: TargetRows) -> str:
        """See GradientMethod."""
        return self.method.describe_forces(rows)

    def begin(self, iteration: int) -> None:
        """See GradientMethod."""
        self.draw = iteration

    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None,
    ) -> Tensor:  # fmt: skip
        """See GradientMethod. Raises Chaos if even segments of `every` steps are too long."""
        result = self._calm(lambda: self.method.measure(rows, coefficients, grid, frames, weights, self.draw))
        self._tell(rows, result)
        self.count += 1
        return result.gradient

    def with_noise(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor, sums: FrameSums
    ) -> tuple[Array, Array | None]:
        """See GradientMethod: the noise is the spread of batches of segments; none with fewer segments than those."""
        if min(self.method.segments, len(frames.positions)) < BATCHES:
            return super().with_noise(rows, coefficients, grid, frames, weights, sums)
        batches = self.products(rows, coefficients, grid, frames, weights.numpy()[None]).products[:, 0]
        return batches.mean(0), spread(batches)

    def products(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, vectors: Array
    ) -> SegmentProducts:
        """See `segment_products`. Raises Chaos as a gradient does."""
        result = self._calm(lambda: segment_products(self.method, rows, coefficients, grid, frames, vectors, self.draw))
        self._tell(rows, result)
        self.count += len(vectors)
        return result

    def correction(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, vector: Array
    ) -> Array | None:
        """The product with one vector [rows], per batch of segments; None, and a note, where it is chaos.

        What a correction corrects was made by segments of the present length, which therefore stays.
        """
        self.count += 1
        try:
            result = segment_products(self.method, rows, coefficients, grid, frames, vector[None], self.draw)
        except Chaos as error:
            self.notes.append(f"{error}; this iteration does without")
            return None
        self._tell(rows, result)
        return result.products[:, 0]

    def _calm(self, measure: Callable[[], Measured]) -> Measured:
        while True:
            try:
                return measure()
            except Chaos as error:
                shorter = self.method.steps // 2 // self.method.every * self.method.every
                if shorter < 1:
                    raise
                self.set_numbers(self.method.segments, shorter)
                self.notes.append(f"{error}; the fit goes on with segments of {shorter} steps")

    def _tell(self, rows: TargetRows, result: SegmentGradient | SegmentProducts) -> None:
        if result.dropped:
            self.notes.append(
                f"{result.dropped} of {len(result.growth)} segments of state {rows.state.name!r} were chaos and are "
                f"left out"
            )

    def told(self) -> str:
        """The notes since the last call, as one text."""
        text = "; ".join(self.notes)
        self.notes.clear()
        return text

    def describe(self) -> dict[str, Any]:
        """Segments and steps, as they are now, and `count`."""
        return {"segments": self.method.segments, "steps": self.method.steps, "gradients": self.count}

    def content(self) -> dict[str, Any]:
        """See GradientMethod."""
        return self.describe() | {"notes": list(self.notes)}

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
        self.set_numbers(content["segments"], content["steps"])
        self.count, self.notes = content["gradients"], list(content["notes"])

    def set_numbers(self, segments: int, steps: int) -> None:
        """Take other ones: those of an audit, or of the fit that goes on."""
        self.method = copy.copy(self.method)
        self.method.segments, self.method.steps = segments, steps
