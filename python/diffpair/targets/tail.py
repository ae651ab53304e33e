"""The far end of a g(r), where it should be near 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TAIL = 0.2  # of r, the last part
_OFF = 0.2  # a mean further than this from 1 is no ripple of a liquid


def tail_of(r: NDArray[np.float64], g: NDArray[np.float64]) -> float:
    """The mean of g over the last fifth of r. r, g: [nbins], r growing."""
    return float(g[r >= (1 - _TAIL) * r[-1]].mean())


def far_from_one(r: NDArray[np.float64], g: NDArray[np.float64]) -> str | None:
    """A clause that warns of a g which does not approach 1; None for one that does."""
    tail = tail_of(r, g)
    if abs(tail - 1) <= _OFF:
        return None
    return f"g averages {tail:.3g} over the last fifth of r, but should approach 1"
