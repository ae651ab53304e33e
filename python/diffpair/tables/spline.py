"""The table's cubic B-splines in numpy: which four of them matter at a distance, and how much."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Overlap(NamedTuple):
    """At each r, the four basis functions that are not 0: U = sum_k values[k] c[first + k], dU/dr with the slopes.

    first: index of the first of them, [...]. values, slopes (1/nm): [4, ...].
    """

    first: NDArray[np.int64]
    values: Array
    slopes: Array


def overlap(r: Array, r_min: float, cutoff: float, knots: int) -> Overlap:
    """The basis functions at r (any shape, nm): their tangent at r_min below it, 0 from the cutoff on."""
    spacing = (cutoff - r_min) / (knots - 1)
    s = (r - r_min) / spacing
    inside = np.clip(s, 0.0, knots - 1)
    first = np.minimum(inside.astype(np.int64), knots - 2)
    t = inside - first
    u = 1.0 - t
    values = np.stack([u**3, 3 * t**3 - 6 * t**2 + 4, 3 * u**3 - 6 * u**2 + 4, t**3]) / 6.0
    slopes = np.stack([-(u**2), 3 * t**2 - 4 * t, 4 * u - 3 * u**2, t**2]) / (2.0 * spacing)
    values += np.minimum(s, 0.0) * spacing * slopes  # below r_min, where inside = 0
    within = r < cutoff
    return Overlap(first, values * within, slopes * within)
