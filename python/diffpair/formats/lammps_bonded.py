"""Bonded terms as LAMMPS reads them: sections for the table styles of bonds, angles and dihedrals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffpair.bonded import BondedTerm, HarmonicTerm, TabulatedTerm
from diffpair.bonded.term import ORDERS
from diffpair.formats.units import Units

Array = NDArray[np.float64]
_DEGREE = np.pi / 180  # LAMMPS has tables of angles and dihedrals in degrees, in every unit style
# LAMMPS stops where a bond leaves its table: U goes on to a tenth of its shortest and far beyond its longest length
_SHORTEST, _LONGER = 0.1, 2.0
_SPREADS = 8.0  # sqrt(kT / k) at 300 K that a harmonic bond's table reaches on either side
_KT = 2.494  # kJ/mol
_STEP = 1e-6  # of a coordinate's unit, for differences of U
STYLES = {
    "bond": "bond_style table spline",
    "angle": "angle_style table spline",
    "dihedral": "dihedral_style table spline",
}


def bonded_commands(terms: Sequence[BondedTerm], file: str, names: Sequence[str], points: int) -> list[str]:
    """A style for each order that occurs, and a coefficient for each term.

    LAMMPS knows types of bonds, angles and dihedrals by numbers, here from 1 in the terms' order.

    Args:
        file: one word of a LAMMPS command. names: sections of the terms.
    """
    lines = []
    for order in ORDERS.values():
        here = [name for term, name in zip(terms, names, strict=True) if term.order == order]
        if here:
            lines.append(f"{STYLES[order]} {points}")
        lines += [f"{order}_coeff {number} {file} {name}" for number, name in enumerate(here, start=1)]
    return lines


def bonded_sections(terms: Sequence[BondedTerm], names: Sequence[str], points: int, units: Units) -> list[str]:
    """Lines of a section of `points` rows for each term: number, coordinate, U and -dU/dx."""
    lines = []
    for term, name in zip(terms, names, strict=True):
        unit = units.length if term.order == "bond" else _DEGREE
        x = _coordinates(term, points, unit)
        energy = term.energy(x * unit) / units.energy
        before, after = (term.energy((x + step) * unit) / units.energy for step in (-_STEP, _STEP))
        lines += ["", name, f"N {points}", ""]
        rows = zip(x, energy, (before - after) / (2 * _STEP), strict=True)
        lines += [f"{i} {place:.12g} {u:.12g} {force:.12g}" for i, (place, u, force) in enumerate(rows, start=1)]
    return lines


def _coordinates(term: BondedTerm, points: int, unit: float) -> Array:
    """Where a term's table has rows, in LAMMPS' unit: all angles that there are, and lengths as above."""
    if term.order == "dihedral":
        return np.linspace(-180, 180, points, endpoint=False)
    if term.order == "angle":
        return np.linspace(0, 180, points)
    if isinstance(term, HarmonicTerm):
        spread = _SPREADS * np.sqrt(_KT / term.k)
        low, high = term.x0 - spread, term.x0 + spread
    else:
        assert isinstance(term, TabulatedTerm)
        low, high = term.low, term.high
    return np.linspace(_SHORTEST * max(low, _SHORTEST * high), high + _LONGER * (high - low), points) / unit
