"""A potential as LAMMPS's pair_style uf3 reads it: the same cubic pieces, as B-splines of LAMMPS's own.

Conventions of uf3 (LAMMPS of July 2025, package ML-UF3), found in its source and by comparison:

- E is the sum of V over all ordered pairs, so that V = U / 2.
- The first and the last knot stand four times. Below the first knot LAMMPS reads outside of its arrays: so ours is 0.
  One piece leads from there to r_min, where a knot stands twice, as U has one continuous derivative there. That needs
  the spacing ``nk``: with ``uk`` LAMMPS takes all knots for evenly spaced.
- A line has 1023 characters at most, for all knots of a pair and for all of its coefficients; LAMMPS waits for ever
  where they are longer. Numbers are written with as many decimals as fit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.formats.lammps import lammps_word
from diffpair.formats.names import grid_line, section_name
from diffpair.formats.resolution import ERROR, force_error
from diffpair.formats.units import Units
from diffpair.tables import PairTable

Array = NDArray[np.float64]
HEADER = "#UF3 POT"
_LONGEST = 1022  # characters of a line, without its end
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
