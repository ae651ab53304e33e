"""A potential as tables of GROMACS, one .xvg file per pair of types: user potentials, until GROMACS 2019."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.formats.names import grid_line, section_name
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
