"""What a state's own System does to its particles, beside the pair potential."""

from __future__ import annotations

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.systems.barostat import BAROSTATS

_BONDED = (
    openmm.HarmonicBondForce, openmm.HarmonicAngleForce, openmm.PeriodicTorsionForce, openmm.RBTorsionForce,
    openmm.CMAPTorsionForce, openmm.CustomBondForce, openmm.CustomAngleForce, openmm.CustomTorsionForce,
    openmm.CustomCompoundBondForce,
)  # fmt: skip
# Forces that act within molecules, from outside or not on positions at all: everything else may act between molecules.
_NOT_NONBONDED = (
    *_BONDED, openmm.CustomCentroidBondForce, openmm.CustomExternalForce, openmm.RMSDForce,
    openmm.AndersenThermostat, openmm.CMMotionRemover, *BAROSTATS,
)  # fmt: skip


def has_nonbonded_forces(system: openmm.System) -> bool:
    """Whether a System's own forces act between molecules. A NonbondedForce without charges and wells does not: its
    exceptions are pairs within molecules."""
    return any(acts_between_all(force) for force in system.getForces() if not isinstance(force, _NOT_NONBONDED))


def holds_molecules_only(system: openmm.System | None) -> bool:
    """Whether all that a System does is to hold molecules together: bonds, angles, torsions, constraints."""
    forces = [] if system is None else system.getForces()
    return all(isinstance(f, (*_BONDED, openmm.CMMotionRemover, *BAROSTATS)) or not acts(f) for f in forces)


def holds_molecules(system: openmm.System | None) -> bool:
    """Whether a System has constraints, or any force but those between all particles alike."""
    if system is None:
        return False
    alike = (openmm.NonbondedForce, openmm.CustomNonbondedForce, openmm.CMMotionRemover, *BAROSTATS)
    return system.getNumConstraints() > 0 or any(acts(f) for f in system.getForces() if not isinstance(f, alike))


def beside_potential(system: openmm.System | None) -> str:
    """What else moves the particles of a state at a given volume, in words: "further forces", "constraints", "virtual
    sites"; empty where nothing does. Barostats do not count, see State.barostat."""
    if system is None:
        return ""
    if any(acts(force) for force in system.getForces() if not isinstance(force, (openmm.CMMotionRemover, *BAROSTATS))):
        return "further forces"
    if system.getNumConstraints():
        return "constraints"
    return "virtual sites" if any(map(system.isVirtualSite, range(system.getNumParticles()))) else ""


def type_charges(
    system: openmm.System | None, types: NDArray[np.integer], num_types: int
) -> NDArray[np.float64] | None:
    """Charge per type in e, [num_types], where they are all that a System does: ions of one site each.

    None where anything else acts, where the charges are not summed to infinity (Ewald, PME), where particles of one
    type have different charges, or some have no type, and where the whole is not neutral.
    """
    if system is None or system.getNumConstraints() or (types < 0).any():
        return None
    acting = [f for f in system.getForces() if not isinstance(f, openmm.CMMotionRemover) and acts(f)]
    if len(acting) != 1 or not isinstance(force := acting[0], openmm.NonbondedForce):
        return None
    endless = force.getNonbondedMethod() in (openmm.NonbondedForce.Ewald, openmm.NonbondedForce.PME)
    if not endless or force.getNumExceptions() or force.getNumParticleParameterOffsets():
        return None
    found = [force.getParticleParameters(i) for i in range(force.getNumParticles())]
    if any(epsilon._value for _, _, epsilon in found):
        return None
    each = np.array([charge._value for charge, _, _ in found])
    charges = np.array([each[types == kind].mean() if (types == kind).any() else 0.0 for kind in range(num_types)])
    alike = bool(np.abs(each - charges[types]).max() < 1e-9)
    return charges if alike and abs(float(each.sum())) < 1e-6 * len(each) else None


def acts(force: openmm.Force) -> bool:
    """Whether a force has anything to do, as far as its type tells."""
    return acts_between_all(force) or (isinstance(force, openmm.NonbondedForce) and _exceptions_act(force))


def acts_between_all(force: openmm.Force) -> bool:
    """The same, but exceptions of a NonbondedForce do not count: they are chosen pairs, as bonds are."""
    if any(getattr(force, count, lambda: 1)() == 0 for count in ("getNumBonds", "getNumAngles", "getNumTorsions")):
        return False  # as openmm.app.ForceField makes them
    if not isinstance(force, openmm.NonbondedForce):
        return True  # plugin forces among them, which come out of an XML as plain Force
    if force.getNumParticleParameterOffsets():
        return True
    parameters = (force.getParticleParameters(i) for i in range(force.getNumParticles()))
    return any(charge._value or epsilon._value for charge, _, epsilon in parameters)


def _exceptions_act(force: openmm.NonbondedForce) -> bool:
    """Exceptions have a product of charges and a well of their own, whatever their particles have."""
    parameters = (force.getExceptionParameters(k) for k in range(force.getNumExceptions()))
    offsets = force.getNumExceptionParameterOffsets() > 0
    return offsets or any(product._value or epsilon._value for *_, product, _, epsilon in parameters)
