"""A potential as tables of GROMACS, one .xvg file per pair of types: user potentials, until GROMACS 2019."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.formats.curve import Curve, curve_of, numbers_of, rows_of
from diffpair.formats.names import grid_in, grid_line, section_name
from diffpair.formats.units import OWN
from diffpair.tables import PairTable

Array = NDArray[np.float64]
DEFAULT = "table.xvg"
EXTENSION = 1.0  # nm beyond the cutoff, where GROMACS's option table-extension has 1 nm
_COULOMB_FROM = 0.04  # nm; below it GROMACS's own tables have 0 for 1/r, too


def gromacs_file(pair: tuple[str, str]) -> str:
    """The name under which GROMACS looks for the table of two energy groups: table_A_B.xvg."""
    return f"table_{section_name(*pair)}.xvg"


def gromacs_files(table: PairTable, points: int) -> dict[str, str]:
    """The text of every file by its name: one for each pair of types, and table.xvg without U, which GROMACS wants for
    all other pairs."""
    files = {gromacs_file(pair): gromacs_table(table, pair, points) for pair in table.pairs}
    return {DEFAULT: gromacs_table(table, None, points), **files}


def gromacs_table(table: PairTable, pair: tuple[str, str] | None, points: int) -> str:
    """The text of a pair's table, nm and kJ/mol: r, f, -f', g, -g', h, -h'; without U where there is no pair.

    U is in the column h, to be multiplied by C12 = 1 in the topology; f is 1/r for charges; g, for C6, is 0.

    Args:
        points: rows from 0 to the cutoff; as dense ones follow to 1 nm beyond it.
    """
    spacing = table.cutoff / (points - 1)
    r = spacing * np.arange(points + round(EXTENSION / spacing))
    energy, force = (table.energy(r, *pair), table.force(r, *pair)) if pair else (0 * r, 0 * r)
    coulomb = np.zeros_like(r)
    far = r >= _COULOMB_FROM
    coulomb[far] = 1 / r[far]
    lines = [
        f"# {' - '.join(pair) if pair else 'other pairs'}: r, f, -f', g, -g', h, -h'; nm, kJ/mol",
        "# U is in h: C6 = 0 and C12 = 1 in the topology",
        f"# {grid_line(table)}",
    ]
    for row in zip(r, coulomb, coulomb**2, energy, force, strict=True):
        place, f, minus_f, u, minus_u = row
        lines.append(f"{place:.15g} {f:.15g} {minus_f:.15g} 0 0 {u:.15g} {minus_u:.15g}")
    return "\n".join(lines) + "\n"


def gromacs_force(table: PairTable, pair: tuple[str, str], points: int, r: Array) -> Array:
    """The force that GROMACS finds at r: of the cubic polynomial with the U and F of the rows beside it."""
    from scipy.interpolate import CubicHermiteSpline

    rows = np.linspace(0.0, table.cutoff, points)
    spline = CubicHermiteSpline(rows, table.energy(rows, *pair), -table.force(rows, *pair))
    return np.asarray(-spline(r, 1))


def gromacs_commands(table: PairTable, folder: Path) -> list[str]:
    """What an .mdp file and the command line have to say to use the tables in a folder."""
    pairs = "  ".join(f"{section_name(a)} {section_name(b)}" for a, b in table.pairs)
    return [
        f"energygrps = {' '.join(section_name(name) for name in table.types)}",
        f"energygrp-table = {pairs}",
        "cutoff-scheme = group",
        "vdwtype = user",
        "coulombtype = user",
        f"rvdw = {table.cutoff:.12g}",
        f"rcoulomb = {table.cutoff:.12g}",
        f"rlist = {table.cutoff:.12g}",
        f"gmx mdrun -table {folder / DEFAULT}",
    ]


def read_gromacs(path: Path, text: str, c6: float | None = None, c12: float | None = None) -> Curve:
    """The curve of a table: C6 g + C12 h of seven columns, or the second of two or three (r, U, -dU/dr).

    The column of charges is passed over. The name is that of the file, without ``table_``.

    Args:
        c6, c12: of the topology; 1 if left out, which is refused where both columns hold something.

    Raises DiffPairError for other columns, and numbers as `curve_of` refuses them.
    """
    rows = rows_of(text, "#@&;")
    width = len(rows[0].cells) if rows else 0
    if width not in (2, 3, 7):
        raise DiffPairError(f"{path}: a table of GROMACS has 7 columns, or 2 or 3 (r, U, -dU/dr), not {width}")
    columns = numbers_of(path, rows, width)
    r, *rest = columns
    if width == 7:
        g, h = rest[2:4], rest[4:6]
        if np.any(g[0]) and np.any(h[0]) and (c6 is None or c12 is None):
            raise DiffPairError(f"{path}: has values of both g and h: give their factors by --c6 and --c12")
        first, second = (1.0 if factor is None else factor for factor in (c6, c12))
        rest = [first * a + second * b for a, b in zip(g, h, strict=True)]
    name = path.stem.removeprefix("table_")
    return curve_of(path, name, (r, *rest), [row.place for row in rows], OWN, grid_in(text))
