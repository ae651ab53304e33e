"""How long an iteration samples: longer when the residual nears its noise, at the price of later iterations."""

from __future__ import annotations

# Times the config's steps. What is left at the end is worth a sampling of half the length, not one of less; one that is
# much longer halves the noise and costs the next steps.
LEAST, LONGEST = 0.5, 4.0
STEP = 0.5  # part of the residual that a step is expected to leave: g is not linear in U
RESOLVED = 0.7  # noise of a run over the residual that is expected: less does not help the step


class Effort:
    """Chooses the length of each sampling in units of the config's `steps`.

    All iterations together sample no more than if each had the length 1: a fit whose samplings grow ends after fewer
    iterations, and saves their equilibration. Shorter samplings at the start do not pay: their Jacobians are too noisy.

    Args:
        iterations: of the whole fit, at most. adaptive: False for 1 always.
    """

    def __init__(self, iterations: int, adaptive: bool = True) -> None:
        self.iterations, self.adaptive = iterations, adaptive
        self.left = float(iterations)
        self.factor = 1.0
        self.longer = self.repeated = 0  # samplings

    @property
    def exhausted(self) -> bool:
        """Nothing is left for another iteration."""
        return self.adaptive and self.left < LEAST

    @property
    def may_repeat(self) -> bool:
        """Whether a sampling that drifts can be repeated, and a whole iteration is still left afterwards."""
        return not self.adaptive or self.left >= 2 * self.factor + 1

    def spent(self, repeated: bool = False) -> None:
        """An iteration has sampled `factor`, or twice that because of a drift, which never takes the last iteration."""
        self.left -= self.factor
        self.longer += self.factor > 1
        if repeated:
            self.left = max(self.left - self.factor, min(self.left, 1.0))
            self.repeated += 1

    def reason(self) -> str:
        """What the steps went into, where no further iteration is left."""
        causes = [
            f"{count} sampling{'s were' if count > 1 else ' was'} {what}"
            for count, what in (
                (self.longer, "longer, to resolve a small residual"),
                (self.repeated, "repeated, because the energy drifted"),
            )
            if count
        ]
        return f"the steps of all {self.iterations} iterations are spent: {' and '.join(causes) or 'by an earlier run'}"

    def plan(self, mae: float, noise: float) -> None:
        """The next factor.

        Args:
            mae: mean |g - target| of the last sampling, its noise included. noise: of that sampling.
        """
        if not self.adaptive or not (mae > 0 and noise > 0):
            return
        alone = noise * self.factor**0.5
        expected = STEP * max(mae**2 - noise**2, (0.1 * mae) ** 2) ** 0.5
        wanted = (alone / (RESOLVED * expected)) ** 2
        # at most half of what is left: a long sampling is worth little without a step after it
        self.factor = max(min(max(wanted, 1.0), LONGEST, max(self.left / 2, 1.0), self.left), LEAST)

    def content(self) -> dict[str, float]:
        return {"factor": self.factor, "left": self.left, "longer": self.longer, "repeated": self.repeated}

    def restore(self, content: dict[str, float]) -> None:
        self.factor, self.left = content["factor"], content["left"]
        self.longer, self.repeated = int(content.get("longer", 0)), int(content.get("repeated", 0))
