"""Constraints, virtual sites, particles without mass or type in a user's Simulation: the Jacobian of fluctuations
against differences of long runs with other tables."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
import torch
from openmm import app, unit
from own_simulations import TEMPERATURE, TIMESTEP, table

from diffpair import PairTable, State
from diffpair.engines.simulation_sampler import SimulationSampler
from diffpair.gradients import Fluctuation, TargetRows
from diffpair.potentials import TableGrid
from diffpair.targets import RdfTarget

EDGE, MOLECULES, LENGTH = 3.6, 14, 0.5
START = table(("S", "W"), knots=20, scale=0.5, cutoff=1.7)  # far from condensing, which would be slow
STEP = 0.3  # of the differences, in depths: within the noise of the linear response still
FRAMES, EVERY, BLOCKS = 12000, 8, 16


def simulation() -> app.Simulation:
    """Rigid pairs of atoms without a type, each with a virtual site S off its axis's middle; four fixed particles W."""
    topology, system, positions = app.Topology(), mm.System(), []
    chain = topology.addChain()
    rng = np.random.default_rng(2)
    sites = (np.array(list(np.ndindex(3, 3, 2))) + 0.3) * EDGE / np.array([3, 3, 2])
    for site in sites[:MOLECULES]:
        residue = topology.addResidue("MOL", chain)
        first = system.getNumParticles()
        for name, mass in (("C1", 1.0), ("C2", 2.0), ("S", 0.0)):
            topology.addAtom(name, None, residue)
            system.addParticle(mass)
        system.addConstraint(first, first + 1, LENGTH)
        system.setVirtualSite(first + 2, mm.TwoParticleAverageSite(first, first + 1, 0.7, 0.3))
        axis = rng.normal(size=3)
        axis *= LENGTH / np.linalg.norm(axis)
        positions += [site, site + axis, site]
    for site in sites[MOLECULES : MOLECULES + 4]:
        topology.addAtom("W", None, topology.addResidue("WALL", chain))
        system.addParticle(0.0)
        positions.append(site)
    topology.setPeriodicBoxVectors(np.eye(3) * EDGE * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * EDGE)
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, 3.0, TIMESTEP)
    integrator.setRandomNumberSeed(5)
    made = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("Reference"))
    made.context.setPositions(np.array(positions))
    made.context.computeVirtualSites()
    made.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    return made


@pytest.fixture(scope="module")
def runs():
    """State, rows, and the sums of long runs with the table, and with both tables of a difference."""
    r = 0.85 + 0.1 * np.arange(9)
    targets = [RdfTarget(pair, r, np.ones(9)) for pair in (("S", "S"), ("S", "W"))]
    own = simulation()
    state = State.from_simulation(own, types={"C1": None, "C2": None, "S": "S", "W": "W"}, targets=targets)
    rows, grid = TargetRows(state.of_typed()), TableGrid(START.r_min, START.cutoff, START.knots)
    sums = []
    for factor in (1.0, 1 + STEP, 1 - STEP):
        potential = PairTable(START.types, START.r_min, START.cutoff, factor * START.coefficients)
        sampler = SimulationSampler(state, potential)
        sampler.equilibrate(1000)
        frames = sampler.sample(FRAMES * EVERY, EVERY).of_atoms(state.typed)
        sums.append(Fluctuation().sums(rows, torch.from_numpy(potential.coefficients.copy()), grid, frames))
    return own, state, sums


def test_jacobian_against_differences_of_runs(runs):
    """Both pairs, S-S of virtual sites and S-W with fixed particles, within their noise; the signal is far above it."""
    _, state, (here, above, below) = runs
    direction = START.coefficients.ravel()

    def blocks(f, sums):
        cuts = np.array_split(np.arange(FRAMES), BLOCKS)
        values = np.array([f(sums.drawn(cut)) for cut in cuts])
        return f(sums), values.std(0, ddof=1) / np.sqrt(BLOCKS)

    slope, error = blocks(lambda part: Fluctuation().jacobian(part, state.beta) @ direction, here)
    high, high_error = blocks(lambda part: part.mean, above)
    low, low_error = blocks(lambda part: part.mean, below)
    expected = (high - low) / (2 * STEP)
    noise = np.hypot(error, np.hypot(high_error, low_error) / (2 * STEP))
    deviation = (slope - expected) / noise
    assert np.abs(deviation).max() < 4.5 and np.sqrt(np.mean(deviation**2)) < 1.8
    for part in TargetRows(state.of_typed()).rdf.slices:
        assert np.abs(expected[part] / noise[part]).max() > 4, "nothing was tested"


def test_what_is_rigid_stays_so(runs):
    own, state, _ = runs
    assert state.types.tolist() == [-1, -1, 0] * MOLECULES + [1] * 4
    x = own.context.getState(positions=True).getPositions(asNumpy=True)._value
    molecules = x[: 3 * MOLECULES].reshape(MOLECULES, 3, 3)
    lengths = np.linalg.norm(molecules[:, 0] - molecules[:, 1], axis=1)
    np.testing.assert_allclose(lengths, LENGTH, rtol=1e-4)
    np.testing.assert_allclose(molecules[:, 2], 0.7 * molecules[:, 0] + 0.3 * molecules[:, 1], atol=1e-6)
    np.testing.assert_array_equal(x[3 * MOLECULES :], state.positions[3 * MOLECULES :])
    sampler = SimulationSampler(state, START)
    velocities = sampler.sample(4000, 8).velocities
    assert np.mean([sampler.kinetic_temperature(v) for v in velocities]) == pytest.approx(TEMPERATURE, rel=0.06)
