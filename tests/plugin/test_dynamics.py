"""Long runs: energy conservation, barostats, multiple time steps, checkpoints."""

from __future__ import annotations

import numpy as np
import openmm
import pytest


@pytest.fixture(scope="module")
def liquid(tools):
    """64 atoms of an argon-like liquid with a soft Lennard-Jones-shaped table."""
    pair_system = tools.PairSystem(num_particles=64, num_types=1, r_min=0.26, cutoff=0.72, knots=60)
    sigma, epsilon = 0.34, 1.0
    centres = 0.26 + (np.arange(62) - 1) * (0.72 - 0.26) / 59
    values = 4 * epsilon * ((sigma / centres) ** 12 - (sigma / centres) ** 6)
    values *= np.clip((0.72 - centres) / 0.1, 0, 1) ** 3
    values[-3:] = 0
    pair_system.coefficients = values[None, :]
    pair_system.box = np.eye(3) * 1.56
    pair_system.positions = np.stack(np.meshgrid(*[np.arange(4) * 0.39] * 3), axis=-1).reshape(-1, 3)
    return pair_system


def start(liquid, tools, platform, integrator, *forces):
    system = liquid.system(*(forces or (liquid.table_force(),)), mass=39.9)
    context = tools.make_context(system, platform, liquid.positions, integrator)
    context.setVelocitiesToTemperature(100.0, 5)
    return context


def total_energy(context) -> float:
    state = context.getState(energy=True)
    return (state.getPotentialEnergy() + state.getKineticEnergy())._value


def test_energy_is_conserved_over_20000_steps(liquid, tools, platform):
    """Drift of the total energy over 40 ps below 1e-4 kT per degree of freedom."""
    integrator = openmm.VerletIntegrator(0.002)
    context = start(liquid, tools, platform, integrator)
    integrator.step(500)
    energies = []
    for _ in range(200):
        integrator.step(100)
        energies.append(total_energy(context))
    kinetic = context.getState(energy=True).getKineticEnergy()._value
    degrees = 3 * 63
    kT = 2 * kinetic / degrees
    assert 0.4 < kT < 1.5
    drift = np.mean(energies[100:]) - np.mean(energies[:100])
    assert abs(drift) < 1e-4 * kT * degrees
    assert np.std(energies) < 2e-3 * kT * degrees


def test_barostat(liquid, tools, platform):
    """The box changes under the force; energies stay those of Reference at the same state."""
    integrator = openmm.LangevinMiddleIntegrator(100, 1.0, 0.002)
    integrator.setRandomNumberSeed(1)
    barostat = openmm.MonteCarloBarostat(100.0, 100.0, 5)
    barostat.setRandomNumberSeed(1)
    context = start(liquid, tools, platform, integrator, liquid.table_force(), barostat)
    volumes = set()
    for _ in range(10):
        integrator.step(50)
        state = context.getState(positions=True, energy=True, forces=True)
        volumes.add(state.getPeriodicBoxVolume()._value)
        check = tools.make_context(liquid.system(liquid.table_force()), "Reference")
        check.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
        check.setPositions(state.getPositions())
        energy, forces = tools.evaluate(check)
        assert state.getPotentialEnergy()._value == pytest.approx(energy, rel=1e-5)
        tools.assert_same_forces(state.getForces(asNumpy=True)._value, forces, 1e-4)
    assert len(volumes) > 5


def test_multiple_time_steps(liquid, tools, platform):
    """A force group of its own: the respa integrator evaluates it apart from the rest."""
    table = liquid.table_force()
    table.setForceGroup(1)
    bonds = openmm.HarmonicBondForce()
    for i in range(0, 64, 2):
        bonds.addBond(i, i + 1, 0.39, 1000.0)
    integrator = openmm.MTSIntegrator(0.002, [(0, 4), (1, 1)])
    context = start(liquid, tools, platform, integrator, bonds, table)
    integrator.step(10)
    before = total_energy(context)
    integrator.step(500)
    assert total_energy(context) == pytest.approx(before, abs=0.02 * 64)


def test_checkpoint_repeats_the_run(liquid, tools, platform):
    integrator = openmm.LangevinMiddleIntegrator(100, 1.0, 0.002)
    context = start(liquid, tools, platform, integrator)
    integrator.step(50)
    checkpoint = context.createCheckpoint()
    runs = []
    for _ in range(2):
        context.loadCheckpoint(checkpoint)
        integrator.step(100)
        runs.append(context.getState(positions=True).getPositions(asNumpy=True)._value.copy())
    # Neighbour lists of different age add the same pairs in another order.
    np.testing.assert_allclose(runs[1], runs[0], atol=1e-4)


def test_state_goes_to_another_context(liquid, tools, platform):
    """Through XML, box included: the same forces, and the run goes on from there."""
    integrator = openmm.VerletIntegrator(0.002)
    context = start(liquid, tools, platform, integrator)
    context.setPeriodicBoxVectors(*(1.02 * np.eye(3) * 1.56))
    integrator.step(50)
    state = context.getState(positions=True, velocities=True)
    restored = openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(state))
    second = openmm.VerletIntegrator(0.002)
    other = tools.make_context(liquid.system(liquid.table_force(), mass=39.9), platform, integrator=second)
    other.setState(restored)
    tools.assert_same_forces(tools.evaluate(other)[1], tools.evaluate(context)[1], 1e-4)
    for each in (integrator, second):
        each.step(50)
    ends = [each.getState(positions=True).getPositions(asNumpy=True)._value for each in (context, other)]
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-4)


def test_minimizer(liquid, tools, platform):
    if platform.startswith("OpenCL"):
        pytest.skip("OpenMM 8.6's minimizer crashes on PoCL, with any force")
    context = start(liquid, tools, platform, openmm.VerletIntegrator(0.002))
    random = np.random.default_rng(0).uniform(-0.03, 0.03, liquid.positions.shape)
    context.setPositions(liquid.positions + random)
    before = context.getState(energy=True).getPotentialEnergy()._value
    openmm.LocalEnergyMinimizer.minimize(context, 1.0)
    _, forces = tools.evaluate(context)
    assert context.getState(energy=True).getPotentialEnergy()._value < before
    assert np.sqrt(np.mean(forces**2)) < 1.5
