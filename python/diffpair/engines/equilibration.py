"""Is a time series in equilibrium, and how many independent samples is it worth?

The statistical inefficiency g = 1 + 2 sum_t (1 - t / n) C(t), C the normalised autocorrelation, is the number of
samples that count as one (J. D. Chodera et al., J. Chem. Theory Comput. 3, 26 (2007)); equilibrium begins where what is
left has the largest number of independent samples (J. D. Chodera, J. Chem. Theory Comput. 12, 1799 (2016)).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.float64]
SHORTEST = 3  # lags that are always summed
STARTS = 20  # tried for the beginning of equilibrium
CLEAR = 4.0  # standard errors between the halves of a series that drifts


def inefficiency(series: Array) -> float:
    """g of a series [n], between 1 and n; the sum ends where C first falls to 0. 1 for a constant."""
    x = np.asarray(series, dtype=np.float64)
    x = x - x.mean()
    count, variance = len(x), float(np.mean(x**2))
    if count < 2 or variance <= 0:
        return 1.0
    padded = np.fft.rfft(x, 2 * count)
    correlation = np.fft.irfft(np.abs(padded) ** 2)[:count] / (np.arange(count, 0, -1) * variance)
    ended = np.flatnonzero((correlation <= 0) & (np.arange(count) >= SHORTEST))
    last = int(ended[0]) if len(ended) else count
    lags = np.arange(1, last)
    g = 1 + 2 * float(np.sum((1 - lags / count) * correlation[1:last]))
    return float(min(max(g, 1.0), count))


def equilibrated_from(series: Array) -> tuple[int, float]:
    """The first sample of equilibrium, and the number of independent samples from there on."""
    count = len(series)
    best = (0, 0.0)
    for start in np.unique(np.linspace(0, 0.75 * count, STARTS).astype(int)):
        effective = (count - start) / inefficiency(series[start:])
        if effective > best[1]:
            best = (int(start), float(effective))
    return best


def drifts(series: Array) -> bool:
    """Whether the two halves of a series differ by more than their correlated noise can make."""
    half = len(series) // 2
    if half < 2 * SHORTEST:
        return False
    first, second = series[:half], series[-half:]
    variances = []
    for part in (first, second):
        rest = scipy.signal.detrend(part)  # a trend is not noise
        variances.append(inefficiency(rest) * float(np.var(rest, ddof=2)) / half)
    return bool(abs(first.mean() - second.mean()) > CLEAR * np.sqrt(sum(variances)))
