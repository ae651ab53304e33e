"""The segment against OpenMM's integrators."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
import torch
from systems import CUBIC, TRICLINIC, SmallSystem, make_system

import diffpair
from diffpair.segments import Integrator, NoseHoover, Verlet, degrees_of_freedom, run_segment

DT = 0.003
NOSE_HOOVER = [
    pytest.param({}, id="default"),
    pytest.param({"chain_length": 5, "num_mts": 2, "num_yoshida_suzuki": 3}, id="chain of 5"),
    pytest.param({"chain_length": 1, "num_mts": 1, "num_yoshida_suzuki": 1}, id="one bead"),
    pytest.param({"chain_length": 2, "num_mts": 4, "num_yoshida_suzuki": 5}, id="2 beads"),
]


def make_context(system: SmallSystem, integrator: mm.Integrator, remove_cm: bool = False) -> mm.Context:
    """The same system and start in OpenMM on Reference, in double precision."""
    t, knots = system.topology, system.coefficients.shape[1] - 2
    force = diffpair.PairTableForce(2, system.r_min, system.cutoff, knots)
    for row, (a, b) in enumerate([(0, 0), (0, 1), (1, 1)]):
        force.setPairCoefficients(a, b, system.coefficients[row].tolist())
    for kind in t.types.tolist():
        force.addParticle(kind)
    for a, b in {tuple(sorted(pair)) for pair in t.exclusions.tolist() if pair[0] != pair[1]}:
        force.addExclusion(a, b)
    force.setNonbondedMethod(diffpair.PairTableForce.CutoffPeriodic)
    openmm_system = mm.System()
    openmm_system.setDefaultPeriodicBoxVectors(*system.box.numpy())
    for inverse in system.inverse_mass.tolist():
        openmm_system.addParticle(1 / inverse if inverse else 0)
    openmm_system.addForce(force)
    if remove_cm:
        openmm_system.addForce(mm.CMMotionRemover(1))
    context = mm.Context(openmm_system, integrator, mm.Platform.getPlatformByName("Reference"))
    context.setPositions(system.x.numpy())
    context.setVelocities(system.v.numpy())
    return context


def check_frames(context: mm.Context, x: torch.Tensor, v: torch.Tensor, every: int) -> None:
    for frame in range(x.shape[1]):
        context.getIntegrator().step(every)
        state = context.getState(positions=True, velocities=True)
        np.testing.assert_allclose(x[0, frame], state.getPositions(asNumpy=True)._value, rtol=0, atol=1e-8)
        np.testing.assert_allclose(v[0, frame], state.getVelocities(asNumpy=True)._value, rtol=0, atol=1e-6)


def run(system: SmallSystem, steps: int, every: int, integrator: Integrator) -> tuple[torch.Tensor, torch.Tensor]:
    return run_segment(
        system.x[None], system.v[None], system.coefficients, timestep=DT, steps=steps, frame_every=every,
        integrator=integrator, **system.segment_arguments(),
    )  # fmt: skip


@pytest.mark.parametrize("box", [CUBIC, TRICLINIC], ids=["cubic", "triclinic"])
def test_trajectory_equals_openmms_verlet(box):
    """100 steps on Reference in double precision, unequal masses, two types, exclusions, one atom held."""
    system = make_system(seed=21, num_types=2, exclusions=8, box=box)
    system.inverse_mass[3] = 0
    x, v = run(system, 100, 25, Verlet())
    check_frames(make_context(system, mm.VerletIntegrator(DT)), x, v, 25)
    assert (x[0, -1] - system.x).norm(dim=-1).mean() > 0.1
    assert torch.equal(x[0, -1, 3], system.x[3]) and torch.equal(v[0, -1, 3], system.v[3])


@pytest.mark.parametrize("arguments", NOSE_HOOVER)
def test_trajectory_equals_openmms_nose_hoover(arguments):
    """Every one of 60 steps, far from the thermostat's temperature, so that the chain works hard; one atom held."""
    system = make_system(seed=22, num_types=2, exclusions=8, box=TRICLINIC)
    system.inverse_mass[5] = 0
    temperature, frequency = 300.0, 20.0
    x, v = run(system, 60, 1, NoseHoover(temperature, frequency, **arguments))
    openmm_arguments = {"chain_length": 3, "num_mts": 3, "num_yoshida_suzuki": 7} | arguments
    integrator = mm.NoseHooverIntegrator(temperature, frequency, DT, *openmm_arguments.values())
    check_frames(make_context(system, integrator), x, v, 1)
    verlet, _ = run(system, 60, 1, Verlet())
    assert (verlet - x).abs().max() > 0.01
    assert torch.equal(x[0, -1, 5], system.x[5]) and torch.equal(v[0, -1, 5], system.v[5])


def test_degrees_of_freedom_as_openmm_counts_them():
    """With a CMMotionRemover the trajectory is that of three degrees fewer, and of no other number."""
    system = make_system(seed=23, num_types=2)
    system.v -= (system.v / system.inverse_mass[:, None]).sum(0) / (1 / system.inverse_mass).sum()
    context = make_context(system, mm.NoseHooverIntegrator(120.0, 5.0, DT), remove_cm=True)
    degrees = degrees_of_freedom(context.getSystem())
    assert degrees == context.getIntegrator().getThermostat().getNumDegreesOfFreedom() == 3 * len(system.x) - 3
    x, v = run(system, 40, 10, NoseHoover(120.0, 5.0, degrees_of_freedom=degrees))
    other, _ = run(system, 40, 10, NoseHoover(120.0, 5.0))
    check_frames(context, x, v, 10)
    assert (other - x).abs().max() > 1e-5

    constrained = mm.System()
    for mass in (1.0, 2.0, 0.0, 3.0):
        constrained.addParticle(mass)
    constrained.addConstraint(0, 1, 0.1)
    constrained.addConstraint(1, 2, 0.1)  # to a massless particle: OpenMM does not count it
    assert degrees_of_freedom(constrained) == 8


def test_atoms_at_rest_are_left_alone_by_the_chain_as_in_openmm():
    """No kinetic energy, nothing to scale: free particles at rest stay there, and so does the chain."""
    system = make_system(seed=24, num_types=2)
    system.coefficients.zero_()
    system.v.zero_()
    x, v = run(system, 5, 1, NoseHoover(100.0, 5.0))
    check_frames(make_context(system, mm.NoseHooverIntegrator(100.0, 5.0, DT)), x, v, 1)
    assert torch.equal(v, torch.zeros_like(v))
