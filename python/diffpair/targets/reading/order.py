"""The points of a file in the order of x, one for every x: rounded, swapped, misprinted and doubled ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.targets.rdf_target import MIN_POINTS
from diffpair.targets.reading.numbers import resolution
from diffpair.targets.reading.points import Curve
from diffpair.targets.reading.quantity import Quantity

Array = NDArray[np.float64]
# x printed with few decimals counts as even if a line through all rows leaves no more than half a unit in the last
# place, and a quarter for the line's own error: x that lie between two printed ones may be rounded up in one half of a
# file and down in the other.
_ROUNDING = 0.75
_COARSE = 0.03  # of a spacing: an error of x by rounding that is worth mending
# A row that alone is out of order by more than _SWAPPED places belongs where its x says if y there is the same within
# _FITS, and if it is no more than _FAR spacings away from the others.
_SWAPPED, _FITS, _FAR = 5, 0.1, 10.0
# More x than this part that stand twice are no slips of a digitiser but two curves in one file.
_MOST_DOUBLES = 0.25


def rounded(curve: Curve, cells: Sequence[str], quantity: Quantity, done: list[str]) -> Curve:
    """Evenly spaced rows whose x are rounded so coarsely that neighbours look unevenly spaced, or the same."""
    unit = resolution(cells)
    n = len(curve.x)
    if n < MIN_POINTS or unit == 0 or np.ptp(curve.x) == 0:
        return curve
    index = np.arange(n, dtype=np.float64)
    slope, start = np.polyfit(index, curve.x, 1)
    even = start + slope * index
    off = np.abs(curve.x - even).max()
    if off > _ROUNDING * unit or off < _COARSE * abs(slope):
        return curve
    even = _simplest(curve.x, slope, start, unit) if slope > 0 else even
    apart = abs(even[1] - even[0])
    done.append(f"{quantity.x} is rounded to {unit:.1g}; the rows are evenly spaced and read so, {apart:.4g} apart")
    if even[0] < 0 <= curve.x[0]:
        even = np.maximum(even, 0.0)
    return dataclasses.replace(curve, x=even)


def _simplest(x: Array, slope: float, start: float, unit: float) -> Array:
    """The even x of fewest digits, at whole or half spacings, that are printed so; else those of the line."""
    index = np.arange(len(x), dtype=np.float64)
    for digits in range(6):
        spacing = float(f"{slope:.{digits}e}")
        first = x - spacing * index
        middle = 0.5 * (first.min() + first.max())
        even: Array = spacing * (0.5 * np.round(2 * middle / spacing) + index)
        if np.abs(x - even).max() <= 0.5 * unit * (1 + 1e-6):
            return even
    return start + slope * index


def in_order(curve: Curve, quantity: Quantity, done: list[str]) -> Curve:
    """The points by growing x."""
    steps = np.diff(curve.x)
    if (steps >= 0).all():
        return curve
    if (steps <= 0).all():
        done.append("the order of the rows is turned around")
        return curve.at(np.arange(len(curve.x))[::-1])
    _refuse_misprint(curve, quantity)
    order = np.argsort(curve.x, kind="stable")
    moved = int((np.diff(curve.x) < 0).sum())
    done.append(f"rows out of order are sorted (at {moved} place{'s' if moved > 1 else ''})")
    return curve.at(order)


def _refuse_misprint(curve: Curve, quantity: Quantity) -> None:
    """Refuse a row far from its place in an order that all others keep, unless its y fits where its x puts it."""
    x = curve.x
    for k in np.unique(np.concatenate([f := np.flatnonzero(np.diff(x) < 0), f + 1])):
        rest = np.delete(np.arange(len(x)), k)
        if len(rest) < MIN_POINTS or (np.diff(x[rest]) < 0).any():
            continue
        place = int(np.searchsorted(x[rest], x[k]))
        if abs(place - k) <= _SWAPPED:
            continue
        near = rest[max(0, place - 1) : place + 1]
        gap = np.abs(x[near] - x[k]).min()
        jump = np.abs(curve.y[near] - curve.y[k]).max()
        spread = np.ptp(curve.y[near])
        if gap > _FAR * np.median(np.diff(x[rest])) or jump > spread + _FITS:
            raise DiffPairError(
                f"{curve.path}, line {curve.line[k]}: {quantity.x} = {x[k]:g} is out of order, and {quantity.y} = "
                f"{curve.y[k]:g} does not fit in where it belongs; is it a misprint?"
            )


def without_doubles(curve: Curve, quantity: Quantity, done: list[str]) -> Curve:
    """Points at the same x become their mean."""
    unique, place, counts = np.unique(curve.x, return_inverse=True, return_counts=True)
    if len(unique) == len(curve.x):
        return curve
    first = np.searchsorted(curve.x, unique)
    again = np.setdiff1d(np.arange(len(curve.x)), first)
    apart = np.abs(curve.y[again] - curve.y[first[place[again]]])
    differ = int(np.count_nonzero(apart > 0))
    if differ > max(2, _MOST_DOUBLES * len(unique)):
        at = [curve.line[first[place[again[0]]]], curve.line[again[0]]]
        raise DiffPairError(
            f"{curve.path}: {len(again)} values of {quantity.x} stand twice or more, with other {quantity.y} (lines "
            f"{at[0]} and {at[1]}, for one); it seems to hold several curves"
        )

    def mean(values: Array) -> Array:
        total: Array = np.bincount(place, values) / counts
        return total

    one = unique[place[again[0]]]
    done.append(
        f"{len(again)} doubled point{'s' if len(again) > 1 else ''}, such as {quantity.x} = {one:g}, "
        + (f"averaged ({quantity.y} differs by {np.nanmax(apart):.2g} at most)" if differ else "with the same values")
    )
    return dataclasses.replace(
        curve.at(first), x=unique, y=mean(curve.y), error=None if curve.error is None else mean(curve.error)
    )
