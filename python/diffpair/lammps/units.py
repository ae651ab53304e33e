"""LAMMPS' unit styles in nm, ps, kJ/mol and amu. Temperatures are K in all of them."""

from __future__ import annotations

from typing import NamedTuple

_AVOGADRO, _CHARGE = 6.02214076e23, 1.602176634e-19  # 1/mol and C, exact since 2019


class Units(NamedTuple):
    """nm, ps, kJ/mol, amu and bar in a unit of length, time, energy, mass and pressure."""

    length: float
    time: float
    energy: float
    mass: float
    pressure: float

    @property
    def velocity(self) -> float:
        """nm/ps."""
        return self.length / self.time


REAL = Units(0.1, 1e-3, 4.184, 1.0, 1.01325)  # Angstrom, fs, kcal/mol, g/mol, atm
UNITS = {
    "real": REAL,
    "metal": Units(0.1, 1.0, 1e-3 * _CHARGE * _AVOGADRO, 1.0, 1.0),  # Angstrom, ps, eV, g/mol, bar
    "nano": Units(1.0, 1e3, 1e-24 * _AVOGADRO, 1e-18 * _AVOGADRO, 10.0),  # nm, ns, and all others of these and attogram
}
