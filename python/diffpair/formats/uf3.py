"""A potential as LAMMPS's pair_style uf3 reads it: the same cubic pieces, as B-splines of LAMMPS's own.

Conventions of uf3 (LAMMPS of July 2025, package ML-UF3), found in its source and by comparison:

- E is the sum of V over all ordered pairs, so that V = U / 2; LAMMPS's function of single pairs gives V, too.
- The first and the last knot stand four times. Below the first knot LAMMPS reads outside of its arrays: so ours is 0.
  One piece leads from there to r_min, where a knot stands twice, as U has one continuous derivative there. That needs
  the spacing ``nk``: with ``uk`` LAMMPS takes all knots for evenly spaced.
- A line has 1023 characters at most, for all knots of a pair and for all of its coefficients; LAMMPS waits for ever
  where they are longer. Numbers are written with as many decimals as fit.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.formats.curve import Curve, Row, curve_of, numbers_of
from diffpair.formats.lammps import lammps_word
from diffpair.formats.names import Grid, grid_in, grid_line, section_name
from diffpair.formats.resolution import ERROR, force_error
from diffpair.formats.units import Units
from diffpair.tables import PairTable

Array = NDArray[np.float64]
HEADER = "#UF3 POT"
_LONGEST = 1022  # characters of a line, without its end
_PER_PIECE = 8  # rows that a reader takes of each cubic piece
_EVEN = 1e-6  # of the spacing, by which knots of a file may miss an even grid
_DECIMALS = range(17, 0, -1)


def uf3_commands(table: PairTable, file: str) -> list[str]:
    """The commands that make LAMMPS use the file; LAMMPS's atom types are the table's, in its order."""
    return ["pair_style uf3 2", f"pair_coeff * * {lammps_word(file)} {' '.join(map(_element, table.types))}"]


def uf3_file(table: PairTable, units: Units) -> tuple[str, float]:
    """The text of a file with all pairs, and the largest error of its forces (`resolution.force_error`).

    Raises DiffPairError if the numbers do not fit into LAMMPS's lines with an error of 5e-6 or less.
    """
    lines: list[str] = []
    for a, b in table.pairs:
        knots, coefficients = _numbers(table, (a, b), units)
        lines += [
            f"{HEADER} UNITS: {units.style} DATE: - AUTHOR: DiffPair CITATION: -",
            f"2B {_element(a)} {_element(b)} 0 3 nk",
            f"{table.cutoff / units.length:.17g} {len(knots.split())}",
            knots,
            str(len(coefficients.split())),
            coefficients,
            "#",
        ]
    lines.append(f"# {grid_line(table)}")
    error = force_error(table, 0, lambda table, pair, _, r: uf3_force(table, pair, units, r))
    if not error <= ERROR:
        raise DiffPairError(
            f"pair_style uf3 reads {_LONGEST + 1} characters of coefficients at most: with {table.knots} knots that "
            f"leaves so few digits that forces are off by {error:.1g}; --format lammps has no such limit"
        )
    return "\n".join(lines) + "\n", error


def uf3_force(table: PairTable, pair: tuple[str, str], units: Units, r: Array) -> Array:
    """The force that LAMMPS finds at r, from the numbers as they are written."""
    from scipy.interpolate import BSpline

    knots, coefficients = (np.array(text.split(), float) for text in _numbers(table, pair, units))
    spline = BSpline(knots * units.length, 2 * coefficients * units.energy, 3)
    return np.asarray(-spline.derivative()(np.clip(r, 0, table.cutoff)))


def _numbers(table: PairTable, pair: tuple[str, str], units: Units) -> tuple[str, str]:
    """Knots and coefficients of a pair, each a line of text."""
    knots, coefficients = _spline(table, pair)
    return _line(knots / units.length), _line(coefficients / (2 * units.energy))


def _spline(table: PairTable, pair: tuple[str, str]) -> tuple[Array, Array]:
    """Knots from 0 to the cutoff, nm, and coefficients of U, kJ/mol: the values of its pieces' polar forms."""
    h, nodes = table.spacing, table.nodes
    c = table.coefficients[table.pair_index(*pair)]
    c0, c1, c2, c3 = (c[k : k + table.knots - 1] for k in range(4))
    # Taylor coefficients of each piece at its left end, [4, pieces]
    taylor = np.array(
        [
            (c0 + 4 * c1 + c2) / 6,
            (c2 - c0) / (2 * h),
            (c0 - 2 * c1 + c2) / (2 * h**2),
            (c3 - 3 * (c2 - c1) - c0) / (6 * h**3),
        ]
    )
    starts = nodes[:-1]
    if table.r_min > 0:
        linear = [[taylor[0, 0] - table.r_min * taylor[1, 0]], [taylor[1, 0]], [0.0], [0.0]]
        taylor, starts = np.hstack([linear, taylor]), np.array([0.0, *starts])
        knots = np.array([*[0.0] * 4, nodes[0], nodes[0], *nodes[1:-1], *[nodes[-1]] * 4])
    else:
        knots = np.array([*[nodes[0]] * 4, *nodes[1:-1], *[nodes[-1]] * 4])
    coefficients = []
    for i in range(len(knots) - 4):
        # any piece within the support of a B-spline tells its coefficient
        left = next(knots[j] for j in range(i, i + 4) if knots[j] < knots[j + 1])
        a = taylor[:, np.searchsorted(starts, left)]
        u, v, w = knots[i + 1 : i + 4] - left
        coefficients.append(a[0] + a[1] * (u + v + w) / 3 + a[2] * (u * v + u * w + v * w) / 3 + a[3] * u * v * w)
    return knots, np.array(coefficients)


def _line(numbers: Array) -> str:
    """Numbers with as many decimals as a line has room for. Raises DiffPairError if there is room for none."""
    for decimals in _DECIMALS:
        line = " ".join(_short(f"{number:.{decimals}f}") for number in numbers.tolist())
        if len(line) <= _LONGEST:
            return line
    raise DiffPairError(
        f"pair_style uf3 reads {_LONGEST + 1} characters of a line at most, too few for {len(numbers)} numbers; "
        f"--format lammps has no such limit"
    )


def _short(number: str) -> str:
    """A number with a decimal point, without what can be left out."""
    short = number.rstrip("0").rstrip(".")
    if short.startswith(("0.", "-0.")):
        short = short.replace("0.", ".", 1)
    return "0" if short in ("-0", "") else short


def _element(name: str) -> str:
    """A type's name as one word; NULL would be none for LAMMPS."""
    return "%4EULL" if name == "NULL" else section_name(name)


def read_uf3(path: Path, text: str, units: Units) -> list[Curve]:
    """The pairs of a file, as rows from each of their cubic pieces; the grid is that of their own knots.

    Files of LAMMPS before 2025 name no types; then the name is that of the file.

    Raises DiffPairError for terms of three bodies, blocks that are cut short, and knots that make no spline.
    """
    blocks = re.split(rf"^.*{HEADER}.*$", text, flags=re.MULTILINE)
    if len(blocks) < 2:
        raise DiffPairError(f"{path}: no block of {HEADER} is in it")
    place, curves = 1, []
    for before, block in zip(blocks, blocks[1:], strict=False):
        place += before.count("\n")
        lines = [(place + k, line.split()) for k, line in enumerate(block.splitlines())]
        rows = [Row(k, cells) for k, cells in lines if cells and not cells[0].startswith("#")]
        curves.append(_read_block(path, rows, units, grid_in(text)))
    return curves


def _read_block(path: Path, rows: list[Row], units: Units, grid: Grid | None) -> Curve:
    from scipy.interpolate import BSpline

    if rows and rows[0].cells[0] == "3B":
        raise DiffPairError(f"{path}, line {rows[0].place}: has terms of three bodies, which a pair potential has not")
    if len(rows) != 5 or rows[0].cells[0] != "2B" or len(rows[0].cells) not in (3, 4, 5, 6) or len(rows[1].cells) != 2:
        first = rows[0].place if rows else 1
        raise DiffPairError(f"{path}, line {first}: a block of uf3 should have five lines from here, the first with 2B")
    names = rows[0].cells[1:3] if len(rows[0].cells) > 4 else [path.stem]
    counts = rows[1].cells[1], rows[3].cells[0]
    if not all(count.isdecimal() for count in counts) or int(counts[0]) != int(counts[1]) + 4:
        raise DiffPairError(
            f"{path}, line {rows[3].place}: {counts[0][:20]} knots and {counts[1][:20]} coefficients are no spline"
        )
    knots = np.concatenate(numbers_of(path, [rows[2]], int(counts[0])))
    coefficients = np.concatenate(numbers_of(path, [rows[4]], int(counts[1])))
    ends = np.unique(knots[3:-3])
    if not np.all(np.isfinite(knots)) or np.any(np.diff(knots) < 0) or len(ends) < 2:
        raise DiffPairError(f"{path}, line {rows[2].place}: knots must rise")
    spline = BSpline(knots, 2 * coefficients, 3)
    r = np.append(np.linspace(ends[:-1], ends[1:], _PER_PIECE, endpoint=False).T.ravel(), ends[-1])
    energy, force = spline(r), -spline.derivative()(r)
    even = _even(ends * units.length) if not np.any(coefficients[-3:]) else None
    return curve_of(path, "_".join(names), (r, energy, force), [rows[4].place] * len(r), units, grid or even)


def _even(ends: Array) -> Grid | None:
    """The longest even grid at the end of the knots: there a table can have the same pieces."""
    spacing = ends[-1] - ends[-2]
    uneven = np.flatnonzero(np.abs(np.diff(ends) - spacing) > _EVEN * spacing)
    first = int(uneven[-1]) + 1 if len(uneven) else 0
    count = len(ends) - first
    return Grid(float(ends[first]), float(ends[-1]), count) if count >= 5 else None
