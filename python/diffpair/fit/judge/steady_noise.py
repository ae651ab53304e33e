"""The noise that an iteration is judged by."""

from __future__ import annotations

import numpy as np

from diffpair.fit.record.iteration import Iteration, accepted


def steady_noise(noise: float, history: list[Iteration]) -> float:
    """The noise of an iteration, or the median of the earlier ones if that is smaller; 0 if it is not known.

    A fluid that falls apart or freezes drifts, which block averages take for noise: it must not excuse a residual.
    """
    if not np.isfinite(noise):
        return 0.0
    earlier = [entry.noise for entry in accepted(history) if np.isfinite(entry.noise)]
    return float(min(noise, np.median(earlier))) if earlier else noise
