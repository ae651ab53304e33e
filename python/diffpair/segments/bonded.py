"""Bonded forces of an OpenMM System as those of a segment."""

from __future__ import annotations

import numpy as np
import openmm
import torch

from diffpair.segments.forces import BondedForces

# kind, and how OpenMM's classes call what one bond, angle or torsion has
_NATIVE = {
    openmm.HarmonicBondForce: ("harmonic-bond", "Bond", 2),
    openmm.HarmonicAngleForce: ("harmonic-angle", "Angle", 3),
    openmm.PeriodicTorsionForce: ("periodic-torsion", "Torsion", 4),
}


def is_native(force: openmm.Force) -> bool:
    """Whether segments know this force themselves."""
    return type(force) in _NATIVE


def bonded_forces(force: openmm.Force) -> BondedForces:
    """The same forces, of a `HarmonicBondForce`, `HarmonicAngleForce` or `PeriodicTorsionForce`."""
    kind, name, size = _NATIVE[type(force)]
    count = getattr(force, f"getNum{name}s")()
    rows = [getattr(force, f"get{name}Parameters")(k) for k in range(count)]
    # OpenMM hands out nm, radians and kJ/mol, so the numbers in its quantities are those of our units
    parameters = [[getattr(value, "_value", value) for value in row[size:]] for row in rows]
    return BondedForces(
        kind,
        torch.from_numpy(np.array([row[:size] for row in rows], dtype=np.int32).reshape(count, size)),
        torch.from_numpy(np.array(parameters, dtype=np.float64).reshape(count, -1 if count else 2 + (size == 4))),
        bool(force.usesPeriodicBoundaryConditions()),
    )
