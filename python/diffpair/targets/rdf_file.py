"""Reading g(r) from text files, with a refusal for everything that is not a usable g(r).

Two or three columns (r, g and perhaps the standard error of g), separated by commas or white space. A header line is
optional; lines that start with # or @ are comments.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.targets.rdf_target import MIN_POINTS, RdfTarget
from diffpair.targets.unit_check import check_header, check_scale, length_in_nm

Array = NDArray[np.float64]

# A grid counts as even if every r is this close, in bins, to its place: it absorbs r printed with few digits.
_EVEN_TOLERANCE = 0.03
_MIN_BINS, _MAX_BINS = 50, 200
_SEPARATOR = re.compile(r"\s*,\s*|\s*;\s*|\s+")


@dataclass(frozen=True)
class _Columns:
    header: str
    r: Array  # in the file's unit
    g: Array
    error: Array | None


def read_rdf(
    path: str | os.PathLike[str],
    pair: tuple[str, str],
    r_unit: str = "nm",
    r_range: tuple[float, float] | None = None,
    bin_width: float | None = None,
) -> RdfTarget:
    """Read a target g(r) and put it on an even grid of bins.

    A file whose r are evenly spaced keeps its grid: its r are bin centres. Otherwise g is interpolated linearly to an
    even grid that fills the range; its bin width is the lower quartile of the file's spacings, so that the finely
    sampled first peak stays resolved, but it is held between 1/200 and 1/50 of the range. A bin that would reach below
    r = 0 is dropped.

    Args:
        path: the file.
        pair: names of the two types.
        r_unit: unit of the file's r, any length that pint knows.
        r_range: (low, high) in nm: only data within it are used.
        bin_width: bin width in nm to interpolate to instead, also for an even file.

    Raises:
        DiffPairError: the file is missing, empty, not numeric, not sorted, negative, too short or, by appearance, in
            another unit; the sentence names file and line or value.

    Warns:
        UserWarning: g does not approach 1 at large r.
    """
    path = Path(path)
    scale = length_in_nm(r_unit)
    columns = _read_columns(path)
    check_header(path, columns.header, r_unit)
    r, g, error = columns.r * scale, columns.g, columns.error
    check_scale(path, r, g, r_unit)
    if r_range is not None:
        low, high = r_range
        if not 0 <= low < high:
            raise DiffPairError(f"{path}: the range [{low:g} nm, {high:g} nm] must obey 0 <= low < high")
        slack = 1e-6 * (r[-1] - r[0])
        inside = (r >= low - slack) & (r <= high + slack)
        if inside.sum() < MIN_POINTS:
            raise DiffPairError(
                f"{path}: only {inside.sum()} points lie in the range [{low:g} nm, {high:g} nm], but a target needs at "
                f"least {MIN_POINTS}; the file covers {r[0]:.4g} nm to {r[-1]:.4g} nm (is r_unit = {r_unit} right?)"
            )
    else:
        low, high = r[0], r[-1]
        inside = np.ones(len(r), dtype=bool)
    if bin_width is None and _is_even(r[inside]):
        grid = np.linspace(r[inside][0], r[inside][-1], inside.sum())
        g_grid, error_grid = g[inside], None if error is None else error[inside]
    else:
        grid = _even_grid(path, r, inside, max(low, float(r[0])), min(high, float(r[-1])), bin_width)
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
    _warn_about_tail(target)
    return target


def _is_even(r: Array) -> bool:
    steps = (r - r[0]) * (len(r) - 1) / (r[-1] - r[0])
    return bool(np.abs(steps - np.arange(len(r))).max() <= _EVEN_TOLERANCE)


def _even_grid(path: Path, r: Array, inside: NDArray[np.bool_], low: float, high: float, width: float | None) -> Array:
    """Bin centres of an even grid whose edges span [low, high]."""
    span = high - low
    if width is None:
        spacing = float(np.quantile(np.diff(r[inside]), 0.25))
        count = round(span / min(max(spacing, span / _MAX_BINS), span / _MIN_BINS))
        width = span / count
    else:
        if not 0 < width <= span / MIN_POINTS:
            raise DiffPairError(
                f"{path}: a bin width of {width:g} nm leaves fewer than {MIN_POINTS} bins between {low:.4g} nm and "
                f"{high:.4g} nm"
            )
        count = math.floor(span / width * (1 + 1e-9))
    return low + float(width) * (np.arange(count, dtype=np.float64) + 0.5)


def _warn_about_tail(target: RdfTarget) -> None:
    tail = float(target.g[target.r >= 0.8 * target.r_max].mean())
    if abs(tail - 1) > 0.2:
        warnings.warn(
            f"{target.label}: g averages {tail:.3g} over the last fifth of r, but should approach 1; is it normalised?",
            stacklevel=3,
        )


def _read_columns(path: Path) -> _Columns:
    header = ""
    rows: list[list[float]] = []
    last = 0
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        text = line.strip()
        if not text or text[0] in "#@":
            continue
        fields = _SEPARATOR.split(text)
        if not rows and not header and not any(_is_number(value) for value in fields):
            header = text
            continue
        where = f"{path}, line {number}"
        if "," in text and ";" in text:
            raise DiffPairError(f"{where}: {text!r} has both , and ; (decimals need a point)")
        row = _parse_row(where, fields)
        if rows:
            if len(row) != len(rows[0]):
                raise DiffPairError(f"{where}: has {len(row)} columns, but line {last} has {len(rows[0])}")
            if row[0] <= rows[-1][0]:
                raise DiffPairError(f"{where}: r = {row[0]:g} is not above the r = {rows[-1][0]:g} before it")
        rows.append(row)
        last = number
    if not rows:
        raise DiffPairError(f"{path}: holds no numbers" if header else f"{path}: is empty")
    if len(rows) < MIN_POINTS:
        raise DiffPairError(f"{path}: has only {len(rows)} points, but a target needs at least {MIN_POINTS}")
    data = np.array(rows)
    return _Columns(header, data[:, 0], data[:, 1], data[:, 2] if data.shape[1] == 3 else None)


def _parse_row(where: str, fields: list[str]) -> list[float]:
    names = ("r", "g", "error")
    if len(fields) not in (2, 3):
        raise DiffPairError(f"{where}: has {len(fields)} column(s), but r, g and perhaps an error are needed")
    row = []
    for name, value in zip(names, fields, strict=False):
        if not _is_number(value):
            raise DiffPairError(f"{where}: {name} = {value!r} is not a number")
        if not math.isfinite(float(value)):
            raise DiffPairError(f"{where}: {name} = {value} is not a finite number")
        if float(value) < 0:
            raise DiffPairError(f"{where}: {name} = {value} is negative")
        row.append(float(value))
    return row


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DiffPairError(f"{path}: no such file; it should hold the target g(r)") from None
    except IsADirectoryError:
        raise DiffPairError(f"{path}: is a folder, but should be a file with the target g(r)") from None
    except OSError as error:
        raise DiffPairError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DiffPairError(f"{path}: is not a text file in UTF-8, but should hold the target g(r)") from None
