"""What a column looks like by its numbers: an integral, a count of rows, an error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.targets.reading.quantity import Quantity

Array = NDArray[np.float64]
# n(r) is the integral of g 4 pi r^2: a column counts as such if it follows that of its neighbour so closely. Sums over
# bins differ by about a bin's part, n(r) of another pair by much more.
_INTEGRAL_TOLERANCE = 0.05
_MOST_STEPS = 0.8


def counts(column: Array) -> bool:
    """Whether a column counts the rows, from 0 or 1."""
    return bool(np.array_equal(column - column[0], np.arange(len(column))) and column[0] in (0, 1))


def grows(column: Array, beyond: float = 0.0) -> bool:
    """Whether a column never falls, and ends beyond a value."""
    numbers = column[np.isfinite(column)]
    return len(numbers) > 2 and bool((np.diff(numbers) >= 0).all()) and numbers[-1] > max(numbers[0], beyond)


def runs_on(column: Array) -> bool:
    """Whether most steps of a column go one way, as those of r do: prose above a table may seem to name it."""
    steps = np.diff(column[np.isfinite(column)])
    return len(steps) > 0 and max((steps > 0).mean(), (steps < 0).mean()) > _MOST_STEPS


def integrates(columns: Array, quantity: Quantity) -> bool:
    """Whether the third column grows as the integral of the second over shells at the first, [rows, 3]."""
    x, y, n = columns[np.isfinite(columns).all(axis=1)].T
    if not quantity.grows or len(x) < 3 or (np.diff(x) < 0).any() or (np.diff(n) < -1e-3 * abs(n[-1])).any():
        return False
    shells = np.concatenate([[0.0], np.cumsum(0.5 * (y[1:] * x[1:] ** 2 + y[:-1] * x[:-1] ** 2) * np.diff(x))])
    if not (n[-1] > 0 and shells[-1] > 0):
        return False
    return bool(np.abs(n / n[-1] - shells / shells[-1]).max() < _INTEGRAL_TOLERANCE)


def appearance(columns: Array, quantity: Quantity) -> str:
    """What a column looks like beside x and y, [rows, 3]."""
    _, y, other = columns[np.isfinite(columns).all(axis=1)].T
    if len(other) < 3:
        return "holds few numbers"
    tail = other[-max(1, len(other) // 5) :]
    if grows(other):
        return f"grows throughout, as a {quantity.grows or 'sum'} does and no error"
    if quantity.grows and abs(tail.mean() - 1) < 0.2:
        return f"tends to 1, as the {quantity.y} of another pair does"
    if (other >= 0).all() and other.max() < 0.5 * np.abs(y).max():
        return "is small and positive, as an error is"
    return f"is between {other.min():.3g} and {other.max():.3g}"
