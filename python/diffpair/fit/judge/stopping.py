"""When a fit has nothing left to learn."""

from __future__ import annotations

from dataclasses import dataclass

from diffpair.fit.record.iteration import Iteration, accepted

IDLE = 5  # iterations without progress: as many as the memory compares with each other
SIGNIFICANT = 0.5  # reduction of chi^2 per parameter, over what noise does: below 1, a parameter moves within its error
SAMPLINGS, LARGEST_CHI = 3, 2.0  # fewer, or a larger residual: a short step comes from a Jacobian that is not known
# Of a pressure or a density: a number by itself is hardly seen in chi^2 per parameter, and two errors are chance in one
# of twenty iterations.
LARGEST_OFF = 2.0
PROGRESS = 0.97  # of the best residual: less than that is none


@dataclass(frozen=True)
class Stopping:
    """Stops a fit whose residual is noise, and one that gets nowhere.

    A step whose predicted reduction of chi^2 is below SIGNIFICANT for each parameter that the data fix moves every one
    of them by less than its standard error: such a residual is noise. The fit goes on all the same while it can still
    be averaged out, until the noise of the pooled residual is below `noise`, and while a pressure or density that is a
    target is off by more than its own error allows.

    Args:
        noise: mean |error of g| of the pooled residual that is small enough.
    """

    noise: float

    def reason(self, history: list[Iteration]) -> str:
        """Why the fit should stop now; empty to go on. history: up to the last iteration."""
        last = history[-1]
        good = accepted(history)
        known = len(good) >= SAMPLINGS and last.chi < LARGEST_CHI and last.off < LARGEST_OFF
        if last.accepted and known and last.significance < SIGNIFICANT and last.pooled_noise <= self.noise:
            return (
                f"the residual is at its statistical noise: chi {last.chi:.2f}, and the next step would change U by "
                f"{last.step:.3f} kT, which is less than the error of U"
            )
        if len(good) > IDLE:
            before, lately = min(h.mae for h in good[:-IDLE]), min(h.mae for h in good[-IDLE:])
            noise = all(h.significance < 2.0 and h.chi < LARGEST_CHI for h in good[-IDLE:])
            if lately > PROGRESS * before and noise and last.off < LARGEST_OFF:
                return f"no progress over the last {IDLE} iterations"
        return ""
