"""From a file to a target g(r) on an even grid, with a refusal for everything that is not a usable g(r).

``reading`` finds out what stands in the file; here it is judged as a g(r), within the range that is asked for.
"""

from __future__ import annotations

import dataclasses
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.tables.limits import LARGEST_CUTOFF, SMALLEST_CUTOFF
from diffpair.targets.rdf_target import MIN_POINTS, RdfTarget
from diffpair.targets.reading import RDF, Choice, Curve, read_curve
from diffpair.targets.sampled import contact_bin
from diffpair.targets.tail import far_from_one
from diffpair.targets.unit_check import check_header, check_scale, length_in_nm

Array = NDArray[np.float64]

# A grid counts as even if every r is this close, in bins, to its place: it absorbs r printed with few digits.
_EVEN_TOLERANCE = 0.03
_MIN_BINS, _MAX_BINS = 50, 200
# Ripples that a Fourier transform of scattering data leaves where g is 0 are below this; larger ones are no small flaw.
_RIPPLE = 0.05
_LARGEST = 1e9  # of g; solutes that stick together in a dilute solution reach a thousand
_MOST_BINS = 100_000


@dataclass(frozen=True)
class ReadRdf:
    """A target, and how its file was read: ``columns`` in words, what had to be decided, and the file's own r in nm."""

    target: RdfTarget
    columns: str
    done: list[str]
    own_r: Array


def read_rdf(
    path: str | os.PathLike[str],
    pair: tuple[str, str],
    r_unit: str = "nm",
    r_range: tuple[float, float] | None = None,
    bin_width: float | None = None,
    choice: Choice | None = None,
) -> RdfTarget:
    """Read a target g(r) and put it on an even grid of bins.

    A file whose r are evenly spaced keeps its grid: its r are bin centres. Otherwise g is interpolated linearly to an
    even grid that fills the range; its bin width is the lower quartile of the file's spacings, so that the finely
    sampled first peak stays resolved, but it is held between 1/200 and 1/50 of the range. A bin that would reach below
    r = 0 is dropped. Rows outside the range are not looked at, whatever stands in them.

    Args:
        path: the file.
        pair: names of the two types.
        r_unit: unit of the file's r, any length that pint knows.
        r_range: (low, high) in nm: only data within it are used.
        bin_width: bin width in nm to interpolate to instead, also for an even file.
        choice: columns and block, where the file does not tell or holds several.

    Returns:
        The target, in nm.

    Raises:
        DiffPairError: the file is missing, empty, not numeric, ambiguous, negative, too short or, by appearance, in
            another unit; the sentence names file and line or value.

    Warns:
        UserWarning: what had to be decided to read the file, in one line; g does not approach 1 at large r.
    """
    read = read_with_notes(path, pair, r_unit, r_range, bin_width, choice)
    if read.done:
        warnings.warn(f"{path}: {'; '.join(read.done)}", stacklevel=2)
    if (far := far_from_one(read.target.r, read.target.g)) is not None:
        warnings.warn(f"{read.target.label}: {far}; is it normalised?", stacklevel=2)
    return read.target


def read_with_notes(
    path: str | os.PathLike[str],
    pair: tuple[str, str],
    r_unit: str = "nm",
    r_range: tuple[float, float] | None = None,
    bin_width: float | None = None,
    choice: Choice | None = None,
) -> ReadRdf:
    """As read_rdf, with what had to be decided instead of warnings of it."""
    path = Path(path)
    if isinstance(pair, str) or len(pair) != 2:
        raise DiffPairError(f"{path}: the pair of a g(r) must be two types, not {pair!r}")
    scale = length_in_nm(r_unit)
    curve = read_curve(path, RDF, choice, pair)
    check_header(path, curve.x_name, r_unit)
    done = list(curve.done)
    curve = dataclasses.replace(curve, x=curve.x * scale)
    curve = _within(curve, r_range, r_unit)
    curve = _judged(_without_ends(curve, done), scale, done)
    _check_range(path, curve, r_unit)
    check_scale(path, curve.x, curve.y, r_unit)
    r, g, error = curve.x, curve.y, curve.error
    if len(r) < MIN_POINTS:
        raise DiffPairError(f"{path}: has only {len(r)} points, but a target needs at least {MIN_POINTS}")
    if bin_width is None and _is_even(r):
        grid, g_grid, error_grid = np.linspace(r[0], r[-1], len(r)), g, error
    else:
        low, high = (float(r[0]), float(r[-1])) if r_range is None else r_range
        grid = _even_grid(path, r, max(low, float(r[0])), min(high, float(r[-1])), bin_width)
        g_grid = np.interp(grid, r, g)
        error_grid = None if error is None else np.interp(grid, r, error)
    keep = grid >= (grid[1] - grid[0]) * (0.5 - 1e-6)
    if keep.sum() < MIN_POINTS:
        raise DiffPairError(f"{path}: only {keep.sum()} bins remain, but a target needs at least {MIN_POINTS}")
    if g_grid[keep].max() <= 0:
        raise DiffPairError(
            f"{path}: g is 0 everywhere between r = {grid[0]:.4g} nm and {grid[-1]:.4g} nm "
            f"(is r_unit = {r_unit} right?)"
        )
    target = RdfTarget(
        pair=(str(pair[0]), str(pair[1])),
        r=grid[keep],
        g=g_grid[keep],
        error=None if error_grid is None else error_grid[keep],
        file=path,
        r_unit=r_unit,
    )
    return ReadRdf(target, curve.columns, done, r)


def _within(curve: Curve, r_range: tuple[float, float] | None, r_unit: str) -> Curve:
    """The points within the range, r in nm."""
    if r_range is None:
        return curve
    low, high = r_range
    if not 0 <= low < high:
        raise DiffPairError(f"{curve.path}: the range [{low:g} nm, {high:g} nm] must obey 0 <= low < high")
    r = curve.x
    slack = 1e-6 * (r[-1] - r[0])
    inside = (r >= low - slack) & (r <= high + slack)
    if inside.sum() < MIN_POINTS:
        raise DiffPairError(
            f"{curve.path}: only {inside.sum()} points lie in the range [{low:g} nm, {high:g} nm], but a target "
            f"needs at least {MIN_POINTS}; the file covers {r[0]:.4g} nm to {r[-1]:.4g} nm (is r_unit = {r_unit} "
            f"right?)"
        )
    return curve.at(inside)


def _without_ends(curve: Curve, done: list[str]) -> Curve:
    """Without the rows at either end that the file itself calls no data: nan, empty, or flagged by VOTCA.

    A flagged g of 0 before the first neighbours stays: nothing was counted there.
    """
    missing = np.array([line in curve.problems and curve.problems[line].missing for line in curve.line])
    flagged = np.array([flag in ("o", "u") for flag in curve.flags])
    empty = np.maximum.accumulate(np.nan_to_num(np.abs(curve.y), nan=0.0)) == 0
    no_data = missing | (flagged & ~empty)
    good = np.flatnonzero(~no_data)
    if len(good) == 0:
        raise DiffPairError(f"{curve.path}: no row holds a usable g")
    keep = np.arange(good[0], good[-1] + 1)
    left = len(curve.x) - len(keep)
    if left:
        done.append(f"{left} row{'s' if left > 1 else ''} without a usable g at the ends left out")
    if any(curve.flags):
        zeros = int((flagged & empty).sum())
        kept = f", {zeros} undefined rows before the first neighbours count as g = 0" if zeros else ""
        done.append(f"flags of VOTCA understood{kept}")
    inner = np.flatnonzero((flagged & ~empty)[keep])
    if len(inner):
        place = keep[inner[0]]
        raise DiffPairError(
            f"{curve.path}, line {curve.line[place]}: is flagged {curve.flags[place]!r} as no value of g, between rows "
            f"that are values"
        )
    return curve.at(keep)


def _judged(curve: Curve, scale: float, done: list[str]) -> Curve:
    """A curve of finite g and errors, none of them negative; ripples around 0 before the first neighbours become 0."""
    for line in sorted(set(curve.problems) & {int(line) for line in curve.line}):
        raise DiffPairError(curve.problems[line].sentence)
    y = curve.y.copy()
    negative = np.flatnonzero(y < 0)
    inner = negative[negative < contact_bin(y)]
    if len(inner) and np.abs(y[: inner[-1] + 1]).max() < _RIPPLE:
        # Where g is 0 within the ripples it is 0 at every smaller r, too.
        end = inner[-1] + 1
        done.append(
            f"g is between {y[:end].min():.2g} and {max(0.0, y[:end].max()):.2g} up to r = {curve.x[end - 1]:.4g} nm, "
            f"ripples around 0 before the first neighbours: set to 0"
        )
        y[:end] = 0.0
    for name, values in (("r", curve.x / scale), ("g", y), ("error", curve.error)):
        if values is not None and (values < 0).any():
            place = int(np.argmax(values < 0))
            raise DiffPairError(f"{curve.path}, line {curve.line[place]}: {name} = {values[place]:g} is negative")
    return dataclasses.replace(curve, y=y)


def _check_range(path: Path, curve: Curve, r_unit: str) -> None:
    """Refuse numbers whose squares or inverses a double cannot hold, and r that no table reaches."""
    if len(curve.x) and not SMALLEST_CUTOFF <= curve.x[-1] <= LARGEST_CUTOFF:
        raise DiffPairError(
            f"{path}: r ends at {curve.x[-1]:g} nm, which is not between {SMALLEST_CUTOFF:g} and {LARGEST_CUTOFF:g} nm "
            f"(is r_unit = {r_unit} right?)"
        )
    for name, values in (("g", curve.y), ("error", curve.error)):
        if values is not None and len(values) and values.max() > _LARGEST:
            line = curve.line[int(np.argmax(values))]
            raise DiffPairError(f"{path}, line {line}: {name} = {values.max():g} is no value of a g(r)")


def _is_even(r: Array) -> bool:
    steps = (r - r[0]) * (len(r) - 1) / (r[-1] - r[0])
    return bool(np.abs(steps - np.arange(len(r))).max() <= _EVEN_TOLERANCE)


def _even_grid(path: Path, r: Array, low: float, high: float, width: float | None) -> Array:
    """Bin centres of an even grid whose edges span [low, high]."""
    span = high - low
    if width is None:
        spacing = float(np.quantile(np.diff(r), 0.25))
        count = round(span / min(max(spacing, span / _MAX_BINS), span / _MIN_BINS))
        width = span / count
    else:
        if not 0 < width <= span / MIN_POINTS:
            raise DiffPairError(
                f"{path}: a bin width of {width:g} nm leaves fewer than {MIN_POINTS} bins between {low:.4g} nm and "
                f"{high:.4g} nm"
            )
        count = math.floor(span / width * (1 + 1e-9))
        if count > _MOST_BINS:
            raise DiffPairError(
                f"{path}: a bin width of {width:g} nm makes {count} bins between {low:.4g} nm and {high:.4g} nm, "
                f"more than the {_MOST_BINS} of a target"
            )
    return low + float(width) * (np.arange(count, dtype=np.float64) + 0.5)
