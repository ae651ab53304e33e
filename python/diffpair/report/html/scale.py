"""From numbers to places on an axis, and the numbers that an axis shows."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """low, high: of the data. start, end: their places. log: base 10."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: Array | float) -> Array:
        """Places of values; NaN where one has none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.log10(values) if self.log else np.asarray(values, dtype=np.float64)
        low, high = (log10(self.low), log10(self.high)) if self.log else (self.low, self.high)
        return np.asarray(self.start + (x - low) / (high - low) * (self.end - self.start))

    def ticks(self, about: int, whole: bool = False) -> list[tuple[float, str]]:
        """Some `about` numbers, and how they are written. whole: no fractions."""
        if self.log:
            return _log_ticks(self.low, self.high)
        step = _step((self.high - self.low) / about)
        if whole:
            step = max(1, ceil(step))
        numbers = step * np.arange(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)
        digits = 0
        while digits < 12 and abs(step - round(step, digits)) > 1e-6 * step:
            digits += 1
        numbers[np.abs(numbers) < 0.5 * step] = 0.0  # no -0
        return [(float(number), f"{number:.{digits}f}".replace("-", "−")) for number in numbers]


def _step(rough: float) -> float:
    """The next larger one of 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(rough))
    return float(next(power * one for one in _STEPS if power * one >= rough * (1 - 1e-9)))


def _log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    decades = range(floor(log10(low) - 1e-9), ceil(log10(high) + 1e-9) + 1)
    factors = (1, 2, 5) if log10(high / low) < 2 else (1,)
    numbers = [factor * 10.0**decade for decade in decades for factor in factors]
    shown = [number for number in numbers if low * (1 - 1e-9) <= number <= high * (1 + 1e-9)]
    return [(number, f"{number:g}") for number in shown]


def span(values: Array, least: float = 0.0, margin: float = 0.06) -> tuple[float, float]:
    """Where an axis has to reach for finite values, with a margin; at least `least` wide, and never nothing."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    width = max(high - low, least, 1e-9 * max(abs(low), abs(high)), 1e-12)
    middle = 0.5 * (low + high)
    return middle - (0.5 + margin) * width, middle + (0.5 + margin) * width


def log_span(values: Array) -> tuple[float, float]:
    """The same of positive values on a logarithmic axis."""
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive):
        return 0.1, 1.0
    return float(positive.min()) / 1.3, float(positive.max()) * 1.3
