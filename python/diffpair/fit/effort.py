"""How long an iteration samples: short while the residual is large, long when it nears its noise, within one budget."""

from __future__ import annotations

SHORTEST, LONGEST = 0.5, 4.0  # times the config's steps
STEP = 0.5  # part of the residual that a step is expected to leave
RESOLVED = 0.4  # noise of a run over the residual that is expected: less does not help the step


class Effort:
    """Chooses the length of each sampling in units of the config's `steps`.

    All iterations together sample no more than if each had the length 1: what the early ones save, the late ones get.

    Args:
        iterations: of the whole fit. adaptive: False for 1 always.
    """

    def __init__(self, iterations: int, adaptive: bool = True) -> None:
        self.iterations, self.adaptive = iterations, adaptive
        self.factor = SHORTEST if adaptive and iterations > 1 else 1.0
        self.saved = 0.0

    def spent(self) -> None:
        """An iteration has sampled `factor`."""
        self.saved += 1 - self.factor

    def plan(self, done: int, mae: float, noise: float) -> None:
        """The next factor, after so many iterations.

        Args:
            mae: mean |g - target| of the last sampling, its noise included. noise: of that sampling.
        """
        if not self.adaptive or not (mae > 0 and noise > 0):
            return
        alone = noise * self.factor**0.5
        expected = STEP * max(mae**2 - noise**2, (0.1 * mae) ** 2) ** 0.5
        wanted = (alone / (RESOLVED * expected)) ** 2
        left = self.iterations - done
        affordable = self.saved + left - SHORTEST * (left - 1)
        self.factor = float(min(max(wanted, SHORTEST), LONGEST, max(affordable, SHORTEST)))

    def content(self) -> dict[str, float]:
        return {"factor": self.factor, "saved": self.saved}

    def restore(self, content: dict[str, float]) -> None:
        self.factor, self.saved = content["factor"], content["saved"]
