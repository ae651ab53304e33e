"""A table as LAMMPS reads it: the file of pair_style table, in units real (Angstrom, kcal/mol)."""

from __future__ import annotations

import numpy as np

from diffpair.tables.pair_table import PairTable

_KJ_PER_KCAL = 4.184
_ANGSTROM_PER_NM = 10.0
# LAMMPS stops when a distance is below the first row; the linear part below r_min is written out down to here.
_INNERMOST = 0.02


def lammps_table(table: PairTable, points: int = 2000) -> str:
    """The text of a table file with a section A_B of ``points`` rows per pair of types."""
    r = np.linspace(_INNERMOST * table.cutoff, table.cutoff, points)
    outer = _ANGSTROM_PER_NM * table.cutoff
    lines = [
        "# UNITS: real",
        f"# pair_style table spline {points}",
        *(
            f"# pair_coeff {table.types.index(a) + 1} {table.types.index(b) + 1} FILE {a}_{b} {outer:.10g}"
            for a, b in table.pairs
        ),
    ]
    for a, b in table.pairs:
        energy = table.energy(r, a, b) / _KJ_PER_KCAL
        force = table.force(r, a, b) / (_KJ_PER_KCAL * _ANGSTROM_PER_NM)
        lines += ["", f"{a}_{b}", f"N {points} R {_ANGSTROM_PER_NM * r[0]:.12g} {_ANGSTROM_PER_NM * r[-1]:.12g}", ""]
        rows = zip(_ANGSTROM_PER_NM * r, energy, force, strict=True)
        lines += [f"{i} {x:.12g} {u:.12g} {f:.12g}" for i, (x, u, f) in enumerate(rows, start=1)]
    return "\n".join(lines) + "\n"
