"""What a reader makes of a file: named curves of U(r), in nm and kJ/mol; and what all readers of text check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.formats.names import Grid
from diffpair.formats.units import Units
from diffpair.targets.reading.numbers import number

Array = NDArray[np.float64]
_FEWEST = 5  # rows; a table of five knots needs no fewer
# Relative to the largest slope beside it; of files in which the third column is something else, most rows are off by
# more than this, of forces of a coarse table few.
_FORCES_OFF = 0.1


@dataclass(frozen=True)
class Curve:
    """U of a pair of types.

    Args:
        name: what the file calls it. r: [n], nm, rising. energy: [n], kJ/mol. force: -dU/dr [n], kJ/mol/nm, or None.
        grid: of the spline that the file was made of, if it says so.
    """

    name: str
    r: Array
    energy: Array
    force: Array | None = None
    grid: Grid | None = None


@dataclass(frozen=True)
class Row:
    """The cells of a line, from 1."""

    place: int
    cells: list[str]


def rows_of(text: str, comments: str = "#") -> list[Row]:
    """The lines of a text that hold anything before a sign of comments, cut at white space."""
    rows = []
    for place, line in enumerate(text.splitlines(), start=1):
        for sign in comments:
            line = line.partition(sign)[0]
        if line.strip():
            rows.append(Row(place, line.split()))
    return rows


def curve_of(
    path: Path, name: str, columns: Sequence[Array], lines: Sequence[int], units: Units, grid: Grid | None
) -> Curve:
    """A curve of columns r, U and perhaps -dU/dr, in the file's units, checked.

    Args:
        lines: where each row stands, for messages.

    Raises DiffPairError for too few rows, r that does not rise, and numbers that are not finite.
    """
    r, energy, *rest = columns
    what = f"{path}: {name}" if name else str(path)
    if len(r) < _FEWEST:
        raise DiffPairError(f"{what} has {len(r)} rows, too few for a potential")
    for title, column in zip(("r", "U", "the force"), columns, strict=False):
        bad = np.flatnonzero(~np.isfinite(column))
        if len(bad):
            raise DiffPairError(f"{path}, line {lines[bad[0]]}: {title} is {column[bad[0]]}, not a finite number")
    if r[0] < 0:
        raise DiffPairError(f"{path}, line {lines[0]}: r is {r[0]:g}, but a distance is 0 or more")
    falls = np.flatnonzero(np.diff(r) <= 0)
    if len(falls):
        k = falls[0]
        raise DiffPairError(f"{path}, line {lines[k + 1]}: r does not rise: {r[k + 1]:.10g} follows {r[k]:.10g}")
    force = rest[0] if rest and _is_force(r, energy, rest[0]) else None
    return Curve(name, units.length * r, units.energy * energy, None if force is None else units.force * force, grid)


def numbers_of(path: Path, rows: Sequence[Row], width: int) -> list[Array]:
    """The columns of rows with so many cells. Raises DiffPairError for a row with another number, and for words."""
    values = []
    for row in rows:
        if len(row.cells) != width:
            raise DiffPairError(f"{path}, line {row.place}: has {len(row.cells)} columns, but {width} are expected")
        here = [number(cell) for cell in row.cells]
        for cell, value in zip(row.cells, here, strict=True):
            if value is None:
                raise DiffPairError(f"{path}, line {row.place}: {cell[:40]!r} is not a number")
        values.append(here)
    return list(np.array(values, dtype=np.float64).reshape(-1, width).T)


def _is_force(r: Array, energy: Array, given: Array) -> bool:
    """Whether a column is -dU/dr, by its trapezoids, which are the differences of U; not where U is steep."""
    steps = 0.5 * (given[1:] + given[:-1]) * np.diff(r)
    drops = -np.diff(energy)
    scale = np.maximum(np.abs(drops), np.median(np.abs(drops)))
    return bool(np.median(np.abs(steps - drops) / np.where(scale > 0, scale, 1)) < _FORCES_OFF)
