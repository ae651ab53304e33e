"""A harmonic bonded term: two numbers that U is linear in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import openmm
from numpy.typing import ArrayLike

from diffpair.bonded.term import Array, BondedTerm, Paths, finished
from diffpair.errors import DiffPairError


@dataclass(frozen=True, eq=False)
class HarmonicTerm(BondedTerm):
    """U(x) = 1/2 k (x - x0)^2 of a bond or an angle, less the constant 1/2 k x0^2, which makes it linear in its values

    k and k x0: U = k x^2 / 2 - (k x0) x.
    """

    form: ClassVar[str] = "harmonic"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order == "dihedral":
            raise DiffPairError(f"{self.label}: a dihedral has no harmonic form; use tabulated")
        if len(self.values) != 2 or not self.values[0] > 0:
            raise DiffPairError(
                f"{self.label}: a harmonic term needs a positive force constant, not {self.values[:1]}: its start or "
                f"target is too flat for this form; use tabulated"
            )

    @classmethod
    def of(cls, kind: Sequence[str], k: float, x0: float, fixed: bool = False) -> HarmonicTerm:
        """With the force constant k, kJ/mol/nm^2 or kJ/mol/rad^2, and the minimum x0, nm or rad."""
        return cls(tuple(kind), np.array([k, k * x0]), fixed)

    @property
    def k(self) -> float:
        """Force constant, kJ/mol/nm^2 or kJ/mol/rad^2."""
        return float(self.values[0])

    @property
    def x0(self) -> float:
        """Where U is least, nm or rad."""
        return float(self.values[1] / self.values[0])

    def basis(self, x: ArrayLike) -> Array:
        """See BondedTerm."""
        x = np.asarray(x, dtype=np.float64)
        return np.stack([0.5 * x**2, -x], axis=-1)

    def energy(self, x: ArrayLike) -> Array:
        """U in kJ/mol, 0 at x0."""
        return np.asarray(0.5 * self.k * (np.asarray(x, dtype=np.float64) - self.x0) ** 2)

    def create_force(self, paths: Paths) -> openmm.HarmonicBondForce | openmm.HarmonicAngleForce:
        """See BondedTerm."""
        if self.order == "bond":
            force = openmm.HarmonicBondForce()
            for i, j in np.asarray(paths).tolist():
                force.addBond(i, j, self.x0, self.k)
        else:
            force = openmm.HarmonicAngleForce()
            for i, j, k in np.asarray(paths).tolist():
                force.addAngle(i, j, k, self.x0, self.k)
        return finished(force, self)

    def write_live(self, force: openmm.HarmonicBondForce | openmm.HarmonicAngleForce, context: openmm.Context) -> None:
        """See BondedTerm."""
        bond = self.order == "bond"
        count, get, put = (
            (force.getNumBonds(), force.getBondParameters, force.setBondParameters)
            if bond
            else (force.getNumAngles(), force.getAngleParameters, force.setAngleParameters)
        )
        for index in range(count):
            put(index, *get(index)[: len(self.kind)], self.x0, self.k)
        force.updateParametersInContext(context)

    def numbers(self) -> dict[str, Any]:
        """See BondedTerm."""
        return {"k": self.k, "x0": self.x0}

    @classmethod
    def of_numbers(cls, kind: Sequence[str], numbers: dict[str, Any]) -> HarmonicTerm:
        """See BondedTerm."""
        return cls.of(kind, numbers["k"], numbers["x0"])
