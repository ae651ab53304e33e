"""A potential as LAMMPS reads it: the file of pair_style table, in units real, metal, nano or lj."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.bonded import BondedTerm
from diffpair.errors import DiffPairError
from diffpair.formats.curve import Curve, curve_of, numbers_of, rows_of
from diffpair.formats.lammps_bonded import bonded_commands, bonded_sections
from diffpair.formats.names import grid_in, grid_line, section_name
from diffpair.formats.units import Units, units_of_style
from diffpair.tables import PairTable

Array = NDArray[np.float64]
# LAMMPS stops when a distance is below the first row; the linear part below r_min is written out down to here.
_INNERMOST = 0.02
_BONDED = re.compile("bond_[^_]+_[^_]+|angle(_[^_]+){3}|dihedral(_[^_]+){4}")  # our own sections of bonded terms
_QUOTES = ('"', "'", '"""')  # what may enclose a word of a LAMMPS command


def bonded_section_name(term: BondedTerm) -> str:
    """The section of a bonded term, such as ``angle_A_B_A``: no pair has one of three names or more."""
    return f"{term.order}_{section_name(*term.kind)}"


def lammps_commands(table: PairTable, file: str, points: int = 2000, units: Units | None = None) -> list[str]:
    """The commands that make LAMMPS use a table file: pair_style, and a pair_coeff per pair of types; then those of
    bonded terms.

    LAMMPS knows types by numbers, here from 1 in the table's order. Raises DiffPairError if LAMMPS cannot be given the
    name of the file.
    """
    word, outer = lammps_word(file), table.cutoff / (units or units_of_style("real")).length
    number = {name: k for k, name in enumerate(table.types, start=1)}
    return [
        f"pair_style table spline {points}",
        *(f"pair_coeff {number[a]} {number[b]} {word} {section_name(a, b)} {outer:.12g}" for a, b in table.pairs),
        *bonded_commands(table.bonded, word, [bonded_section_name(term) for term in table.bonded], points),
    ]


def lammps_table(table: PairTable, file: str = "FILE", points: int = 2000, units: Units | None = None) -> str:
    """The text of a table file with a section of ``points`` rows per pair of types and bonded term; its head has the
    commands.

    Rows lie evenly in r^2, as the table does that LAMMPS makes of them: with as many points in pair_style it takes the
    rows as they are, and interpolates once instead of twice.

    Args:
        file: the name of the file in these commands. units: of LAMMPS; real if left out.
    """
    units = units or units_of_style("real")
    r = np.sqrt(_squares(table, points))
    names = ", ".join(f"{k} is {json.dumps(name)}" for k, name in enumerate(table.types, start=1))
    lines = [
        f"# UNITS: {units.style}",
        f"# types: {names}",
        f"# {grid_line(table)}",
        *(f"# {command}" for command in lammps_commands(table, file, points, units)),
    ]
    for a, b in table.pairs:
        energy, force = table.energy(r, a, b) / units.energy, table.force(r, a, b) / units.force
        ends = f"{r[0] / units.length:.15g} {r[-1] / units.length:.15g}"
        lines += ["", section_name(a, b), f"N {points} RSQ {ends}", ""]
        rows = zip(r / units.length, energy, force, strict=True)
        lines += [f"{i} {x:.15g} {u:.15g} {f:.15g}" for i, (x, u, f) in enumerate(rows, start=1)]
    lines += bonded_sections(table.bonded, [bonded_section_name(term) for term in table.bonded], points, units)
    return "\n".join(lines) + "\n"


def lammps_force(table: PairTable, pair: tuple[str, str], points: int, r: Array) -> Array:
    """The force that LAMMPS finds in the table at r: a cubic spline of F/r in r^2."""
    from scipy.interpolate import CubicSpline

    squares = _squares(table, points)
    first = float(table.force(np.sqrt(squares[0]), *pair))
    # slopes of F/r by r^2 at the ends: F is constant at the first row and 0 at the last
    ends = ((1, -first / (2 * squares[0] ** 1.5)), (1, 0.0))
    spline = CubicSpline(squares, table.force(np.sqrt(squares), *pair) / np.sqrt(squares), bc_type=ends)
    return np.asarray(r * spline(r**2))


def _squares(table: PairTable, points: int) -> Array:
    return np.linspace((_INNERMOST * table.cutoff) ** 2, table.cutoff**2, points)


def lammps_word(name: str) -> str:
    """A file's name as one word of a LAMMPS command: in quotes where blanks or signs of the language are in it."""
    if not set(name) & set(" \t\n#$&\"'"):
        return name
    for sign in _QUOTES:
        if "\n" not in name and sign not in name and not name.endswith(sign[0]):
            return f"{sign}{name}{sign}"
    raise DiffPairError(f"{name!r}: a LAMMPS command cannot hold this file name; choose a plainer one")


def lammps_style(text: str) -> str | None:
    """The unit style that the first line of a table names, as LAMMPS finds it there, or None."""
    match = re.match(r"#.*\bUNITS:\s*(\S+)", text)
    return match[1] if match else None


def read_lammps(path: Path, text: str, units: Units) -> list[Curve]:
    """The sections of a table file, without those that our own files have for bonded terms.

    Raises DiffPairError for a file that is none, a section that is cut short, and numbers as `curve_of` refuses them.
    """
    rows, grid, curves = rows_of(text), grid_in(text), []
    while rows:
        name, first = rows[0].cells[0], rows[0].place
        parameters = rows[1].cells if len(rows) > 1 else []
        try:
            count = int(parameters[parameters.index("N") + 1])
            if count < 0:
                raise ValueError
        except (ValueError, IndexError):
            raise DiffPairError(
                f"{path}, line {first}: a section {name[:40]!r} of a LAMMPS table should begin here, but no "
                f"line with N and a number follows"
            ) from None
        here, rows = rows[2 : 2 + count], rows[2 + count :]
        if len(here) < count:
            raise DiffPairError(
                f"{path}: the section {name} should have {count} rows, but the file ends after {len(here)}"
            )
        if _BONDED.fullmatch(name):
            continue
        _, r, energy, force = numbers_of(path, here, 4)
        r = _spaced(path, name, parameters, r)
        curves.append(curve_of(path, name, (r, energy, force), [row.place for row in here], units, grid))
    if not curves:
        raise DiffPairError(f"{path}: no section of a LAMMPS table is in it")
    return curves


def _spaced(path: Path, name: str, parameters: list[str], r: Array) -> Array:
    """Distances as LAMMPS takes them: with R and RSQ from their ends, which are more exact than the rows."""
    if "BITMAP" in parameters:
        raise DiffPairError(f"{path}: {name} is a BITMAP table, whose rows are not in order: write it with R or RSQ")
    for word, power in (("R", 1), ("RSQ", 2)):
        if word in parameters:
            place = parameters.index(word)
            try:
                low, high = (float(end) for end in parameters[place + 1 : place + 3])
            except ValueError:
                raise DiffPairError(f"{path}: {name} has no two distances after {word}") from None
            return np.asarray(np.linspace(low**power, high**power, len(r)) ** (1 / power))
    return r
