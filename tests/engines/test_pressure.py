"""Pressure against answers known on paper."""

import numpy as np
import openmm
import pytest

from diffpair.constants import BOLTZMANN
from diffpair.engines import Sampler
from diffpair.observables.pressure import BAR, PressureProbe
from diffpair.states import make_system

REFERENCE = openmm.Platform.getPlatformByName("Reference")
KT = BOLTZMANN * 120.27


def test_unit():
    # 1 kJ/mol/nm^3 in bar, from Avogadro's number
    assert pytest.approx(1e3 / 6.02214076e23 / 1e-27 / 1e5) == BAR


def test_ideal_gas(gas, no_table):
    system, _ = make_system(gas, no_table)
    probe = PressureProbe(system, gas.temperature, REFERENCE)
    pressure = probe.pressures(gas.positions[None], gas.box[None])
    assert pressure == pytest.approx([BAR * gas.density * KT], rel=1e-12)


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_pair_virial(liquid, lj_table, platform):
    """P = rho kT + sum_pairs r F(r) / 3V."""
    live = Sampler(liquid, lj_table, timestep=0.005, seed=1, platform=platform)
    live.melt(300)
    frames = live.sample(60, 20)
    system, _ = make_system(liquid, lj_table)
    probe = PressureProbe(system, liquid.temperature, openmm.Platform.getPlatformByName(platform))
    i, j = np.triu_indices(liquid.num_atoms, 1)
    edge = liquid.box[0, 0]
    expected = []
    for x in frames.positions:
        separation = x[i] - x[j]
        r = np.linalg.norm(separation - edge * np.round(separation / edge), axis=1)
        expected.append(BAR * (liquid.density * KT + np.sum(r * lj_table.force(r)) / (3 * liquid.volume)))
    assert probe.pressures(frames.positions, frames.boxes) == pytest.approx(expected, rel=2e-3, abs=0.05)


def test_molecules_are_scaled_rigidly(gas, no_table):
    """Dimers without interaction: N/2 kT / V, however stiff and stretched their bonds are."""
    bonds = openmm.HarmonicBondForce()
    system = openmm.System()
    for _ in range(64):
        system.addParticle(1.0)
    for k in range(32):
        bonds.addBond(2 * k, 2 * k + 1, 0.3, 1e5)
    system.addForce(bonds)
    gas.base_system = system
    made, _ = make_system(gas, no_table)
    probe = PressureProbe(made, gas.temperature, REFERENCE)
    assert probe.molecules.num_moving == 32
    pressure = probe.pressures(gas.positions[None], gas.box[None])
    assert pressure == pytest.approx([BAR * 32 * KT / gas.volume], rel=1e-6)


def test_frozen_particles_are_no_ideal_gas(gas, no_table):
    """Half of the particles without mass, which OpenMM does not move: half of the pressure."""
    system, _ = make_system(gas, no_table)
    for index in range(0, 64, 2):
        system.setParticleMass(index, 0)
    probe = PressureProbe(system, gas.temperature, REFERENCE)
    assert probe.pressures(gas.positions[None], gas.box[None]) == pytest.approx([BAR * 32 * KT / gas.volume], rel=1e-12)


def mixed_system():
    """20 dimers with a constraint and a virtual site each, 20 atoms and 10 frozen ones in a box of 3 nm; positions."""
    system, force = openmm.System(), openmm.CustomNonbondedForce("100 * exp(-(r / 0.3)^2)")
    system.setDefaultPeriodicBoxVectors(*(3 * np.eye(3)))
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(1.2)
    rng, positions = np.random.default_rng(4), []
    for kind in [3] * 20 + [1] * 20 + [0] * 10:
        first, start = system.getNumParticles(), 3 * rng.random(3)
        for k in range(max(kind, 1)):
            system.addParticle(0.0 if k == 2 or kind == 0 else 5.0)
            force.addParticle()
            positions.append(start + np.array([0.2 * (k == 1) + 0.1 * (k == 2), 0, 0]))
        if kind == 3:
            system.addConstraint(first, first + 1, 0.2)
            system.setVirtualSite(first + 2, openmm.TwoParticleAverageSite(first, first + 1, 0.5, 0.5))
            for i, j in ((0, 1), (0, 2), (1, 2)):
                force.addExclusion(first + i, first + j)
    system.addForce(force)
    return system, np.array(positions)


def test_constraints_sites_and_frozen_particles_as_in_openmm():
    """OpenMM's own pressure at the same positions, averaged over velocities of the temperature."""
    system, x = mixed_system()
    probe = PressureProbe(system, 300.0, REFERENCE)
    assert probe.molecules.num_moving == pytest.approx(40)
    own = probe.pressures(x[None], 3 * np.eye(3)[None])[0]
    barostat = openmm.MonteCarloBarostat(1.0, 300.0)
    system.addForce(barostat)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), REFERENCE)
    context.setPositions(x)
    values = []
    for seed in range(400):
        context.setVelocitiesToTemperature(300.0, seed + 1)
        values.append(barostat.computeCurrentPressure(context)._value)
    error = np.std(values) / np.sqrt(len(values))
    ideal = BAR * 40 * BOLTZMANN * 300.0 / 27
    assert error < 0.01 * ideal and abs(np.mean(values) - own) < 4 * error and abs(own) > 1.2 * ideal


def test_what_is_bound_to_a_frozen_particle_has_no_pressure(gas, no_table):
    """Its free energy does not depend on the volume: neither an ideal gas nor a strained bond."""
    system = openmm.System()
    bonds = openmm.HarmonicBondForce()
    for _ in range(32):
        first = system.addParticle(0.0)
        bonds.addBond(first, system.addParticle(1.0), 0.3, 1e3)
    system.addForce(bonds)
    gas.base_system = system
    made, _ = make_system(gas, no_table)
    probe = PressureProbe(made, gas.temperature, REFERENCE)
    assert probe.pressures(gas.positions[None], gas.box[None]) == pytest.approx([0], abs=1e-6)
