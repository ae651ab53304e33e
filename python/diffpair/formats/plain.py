"""A potential as columns of text: r and, for each pair of types, U and F, separated by commas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.formats.curve import Curve, Row, curve_of, numbers_of
from diffpair.formats.names import grid_in, grid_line, section_name
from diffpair.formats.units import Units
from diffpair.tables import PairTable
from diffpair.targets.reading.numbers import find_style, number

Array = NDArray[np.float64]


def plain_table(table: PairTable, points: int) -> str:
    """The text of a .csv file with a header: r, U_A_A, F_A_A, U_A_B .. in nm, kJ/mol and kJ/mol/nm, from 0 on."""
    r = np.linspace(0.0, table.cutoff, points)
    names = [section_name(*pair) for pair in table.pairs]
    columns = [r, *(values(r, *pair) for pair in table.pairs for values in (table.energy, table.force))]
    lines = [
        "# r in nm, U in kJ/mol, F = -dU/dr in kJ/mol/nm",
        f"# {grid_line(table)}",
        ",".join(["r", *(f"{what}_{name}" for name in names for what in "UF")]),
    ]
    lines += [",".join(f"{value:.15g}" for value in row) for row in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


def plain_force(table: PairTable, pair: tuple[str, str], points: int, r: Array) -> Array:
    """The force of a natural cubic spline through the U of the rows, as most would make one of the file."""
    from scipy.interpolate import CubicSpline

    rows = np.linspace(0.0, table.cutoff, points)
    return np.asarray(-CubicSpline(rows, table.energy(rows, *pair), bc_type="natural")(r, 1))


def read_plain(path: Path, text: str, units: Units) -> list[Curve]:
    """The curves of columns of numbers: r and U alone, or with a header r, U.., F.. of several.

    A column whose name begins with U is a curve; one that begins with F and goes on like it is its -dU/dr.

    Raises DiffPairError for columns that are neither, and numbers as `curve_of` refuses them.
    """
    lines = [(k, line.partition("#")[0]) for k, line in enumerate(text.splitlines(), start=1)]
    lines = [(k, line) for k, line in lines if line.strip()]
    style = find_style(path, lines)
    if style is None:
        raise DiffPairError(f"{path}: holds no rows of numbers, r and U of a potential")
    rows = [Row(k, style.split(line)) for k, line in lines]
    names = rows.pop(0).cells if all(number(cell) is None for cell in rows[0].cells) else ["r", "U"]
    if names[0].lower() not in ("r", "distance") and len(names) > 2:
        raise DiffPairError(f"{path}: the first column must be r, not {names[0]!r}")
    if len(names) == 2:
        names = ["r", names[1] if names[1].startswith("U") else "U"]
    columns = numbers_of(path, rows, len(names))
    if unknown := [name for name in names[1:] if name[:1] not in ("U", "F")]:
        raise DiffPairError(f"{path}: the column {unknown[0]!r} is neither U.. nor F..: name columns r, U_A_A, F_A_A")
    of_name = dict(zip(names, columns, strict=True))
    if len(of_name) < len(names):
        raise DiffPairError(f"{path}: two columns have the same name: {', '.join(names)}")
    curves, places = [], [row.place for row in rows]
    for name in names[1:]:
        if name.startswith("U"):
            force = [of_name[other] for other in [f"F{name[1:]}"] if other in of_name]
            title = name[1:].strip(" _") or "U"
            curves.append(curve_of(path, title, (columns[0], of_name[name], *force), places, units, grid_in(text)))
    if not curves:
        raise DiffPairError(f"{path}: no column is U: name columns r, U_A_A, F_A_A")
    return curves
