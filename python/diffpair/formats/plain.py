"""A potential as columns of text: r and, for each pair of types, U and F, separated by commas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.formats.names import grid_line, section_name
from diffpair.tables import PairTable

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
