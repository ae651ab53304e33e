"""The adjoint gradient of a fit, watched: what has become chaos is left out, and the user is told."""

from __future__ import annotations

from torch import Tensor

from diffpair.engines import Frames
from diffpair.gradients import Chaos, DiscreteAdjoint, FrameSums, SegmentGradient, TargetRows
from diffpair.potentials import TableGrid


class WatchedAdjoint:
    """A GradientMethod that halves its segments, for the rest of the fit, where most of them have become chaos.

    The potential changes under way, and with it the length that segments may have. Single segments above the limit are
    left out. `notes` collects what happened, one sentence each.
    """

    def __init__(self, method: DiscreteAdjoint) -> None:
        self.method = method
        self.notes: list[str] = []
        self.draw = 0

    def begin(self, iteration: int) -> None:
        """Every iteration has noise of its own, which a fit that goes on later finds again."""
        self.draw = iteration

    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None,
    ) -> Tensor:  # fmt: skip
        """See GradientMethod. Raises Chaos if even segments of `every` steps are too long."""
        while True:
            try:
                result = self.method.measure(rows, coefficients, grid, frames, weights, self.draw)
            except Chaos as error:
                shorter = self.method.steps // 2 // self.method.every * self.method.every
                if shorter < 1:
                    raise
                self.set_numbers(self.method.segments, shorter)
                self.notes.append(f"{error}; the fit goes on with segments of {shorter} steps")
            else:
                self._tell(rows, result)
                return result.gradient

    def _tell(self, rows: TargetRows, result: SegmentGradient) -> None:
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

    def numbers(self) -> dict[str, int]:
        """Segments and steps, as they are now."""
        return {"segments": self.method.segments, "steps": self.method.steps}

    def set_numbers(self, segments: int, steps: int) -> None:
        """Take other ones: those of an audit, or of the fit that goes on."""
        self.method = DiscreteAdjoint(
            segments, steps, self.method.every, timestep=self.method.timestep, dtype=self.method.dtype,
            max_growth=self.method.max_growth, integrator=self.method.integrator, seed=self.method.seed,
        )  # fmt: skip
