"""Was the last step as good as the linear model said? Actual over predicted reduction of the weighted residual.

The ratio of trust-region methods (J. Nocedal, S. J. Wright, Numerical Optimization, Springer 2006, chapter 4), for
residuals that are known within noise: what the noise adds to a sum of squares on average is taken off both sides, and a
predicted reduction that does not stand out from the noise is no verdict.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.updates import Memory, Observation

Array = NDArray[np.float64]
POOR, GOOD = 0.25, 0.75  # below and above: the radius shrinks, grows; the values of that book's algorithm 4.1
CLEAR = 3.0  # standard deviations of the reduction's noise: one verdict in a thousand is chance


def reduction_ratio(memories: list[Memory], observations: list[Observation]) -> float | None:
    """Actual over predicted reduction from the last observation in the memories to the new ones, over all states.

    Args:
        memories: of the states, without the new observations. observations: the new ones, sampled at the stepped
            tables, with Jacobians.

    Returns: None without an earlier observation, or where noise is larger than what was predicted.
    """
    predicted = actual = variance = 0.0
    for memory, new in zip(memories, observations, strict=True):
        if not memory.has_jacobian:
            return None
        last = memory.observations[-1]
        expected, _, _ = memory.pooled(new.coefficients)
        before, _, _ = memory.pooled(last.coefficients)
        weight = 1 / new.sigma**2
        noise_before = np.diag(memory.noise(last.coefficients)[0])
        noise_new, spread = np.diag(new.covariance), new.covariance * np.outer(weight, weight)
        predicted += float(weight @ (before**2 - expected**2))
        actual += float(weight @ (before**2 - noise_before - new.residual**2 + noise_new))
        # of sum w r^2 for noise of covariance C about r
        variance += float(2 * np.sum(spread * new.covariance) + 4 * expected @ spread @ expected)
    if predicted <= CLEAR * np.sqrt(variance):
        return None
    return actual / predicted
