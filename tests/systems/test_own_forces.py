"""What counts as a force that does something, by what OpenMM computes of it."""

from __future__ import annotations

import openmm as mm
import pytest

from diffpair.systems.own_forces import acts, beside_potential, has_nonbonded_forces


def nonbonded(charge: float = 0.0, epsilon: float = 0.0) -> mm.NonbondedForce:
    force = mm.NonbondedForce()
    for _ in range(3):
        force.addParticle(charge, 0.3, epsilon)
    return force


def with_exception(force: mm.NonbondedForce, product: float, epsilon: float) -> mm.NonbondedForce:
    force.addException(0, 1, product, 0.3, epsilon)
    return force


def with_offset(force: mm.NonbondedForce) -> mm.NonbondedForce:
    force.addGlobalParameter("scale", 1.0)
    force.addExceptionParameterOffset("scale", force.addException(0, 1, 0.0, 0.3, 0.0), 0.2, 0.0, 0.0)
    return force


def system_of(force: mm.Force) -> mm.System:
    system = mm.System()
    for _ in range(3):
        system.addParticle(1.0)
    system.addForce(force)
    return system


@pytest.mark.parametrize(
    ("force", "between_all"),
    [
        (nonbonded(), False),
        (nonbonded(charge=0.5), True),
        (nonbonded(epsilon=0.5), True),
        (with_exception(nonbonded(), 0.0, 0.0), False),
        (with_exception(nonbonded(), 0.5, 0.0), False),
        (with_exception(nonbonded(), 0.0, 0.5), False),
        (with_exception(nonbonded(epsilon=0.5), 0.0, 0.5), True),
        (with_offset(nonbonded()), False),
    ],
)
def test_a_nonbonded_force_acts_where_openmm_has_forces_of_it(force: mm.NonbondedForce, between_all: bool) -> None:
    """Exceptions act, too; but as bonds do, not between molecules."""
    system = system_of(force)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions([[0, 0, 0], [0.4, 0, 0], [0.1, 0.45, 0]])
    found = context.getState(forces=True).getForces(asNumpy=True)._value
    assert acts(force) == bool(abs(found).max() > 0)
    assert beside_potential(system) == ("further forces" if acts(force) else "")
    assert has_nonbonded_forces(system) == between_all
