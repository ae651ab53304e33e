"""LAMMPS' unit styles in nm, ps, kJ/mol and amu. Temperatures are K in all of them."""

from __future__ import annotations

from typing import NamedTuple

_AVOGADRO, _CHARGE = 6.02214076e23, 1.602176634e-19  # 1/mol and C, exact since 2019


class Units(NamedTuple):
    """nm, ps, kJ/mol and amu in a unit of length, time, energy and mass."""

    length: float
    time: float
    energy: float
    mass: float

    @property
    def velocity(self) -> float:
        """nm/ps."""
        return self.length / self.time


REAL = Units(0.1, 1e-3, 4.184, 1.0)  # Angstrom, fs, kcal/mol, g/mol
UNITS = {
    "real": REAL,
    "metal": Units(0.1, 1.0, 1e-3 * _CHARGE * _AVOGADRO, 1.0),  # Angstrom, ps, eV, g/mol
    "nano": Units(1.0, 1e3, 1e-24 * _AVOGADRO, 1e-18 * _AVOGADRO),  # nm, ns, attogram nm^2/ns^2, attogram
}
