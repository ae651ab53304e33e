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
    """U(x) = 1/2 k (x - x0)^2 of a bond or an angle. Less the constant 1/2 k x0^2, U = k x^2 / 2 - (k x0) x is linear
    in its values, k and k x0; `of` takes k and x0 themselves.

    Args:
        kind: types along the chain: 2 of a bond, 3 of an angle.
        values: k, kJ/mol/nm^2 or kJ/mol/rad^2, and k x0, [2].
        fixed: a fit leaves it as it is.

    Raises:
        DiffPairError: a force constant that is not positive, or a dihedral.

    Examples:
        >>> from diffpair.bonded import HarmonicTerm
        >>> HarmonicTerm.of(("A", "A"), k=5000.0, x0=0.26).energy([0.26, 0.28]).round(6)
        array([0., 1.])
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
        """The term of a force constant and a minimum.

        Args:
            kind: types along the chain.
            k: force constant, kJ/mol/nm^2 or kJ/mol/rad^2.
            x0: where U is least, nm or rad.
            fixed: a fit leaves it as it is.

        Returns:
            The term.

        Raises:
            DiffPairError: as of the class.
        """
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
        """U(x), which is 0 at x0.

        Args:
            x: nm or rad, of any shape.

        Returns:
            kJ/mol, of the shape of x.
        """
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
