"""The pressure beside further forces, constraints, virtual sites and frozen particles: OpenMM's own, and its slope."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
import torch

from diffpair.constants import BOLTZMANN
from diffpair.engines import Frames, Sampler
from diffpair.errors import DiffPairError
from diffpair.gradients import DiscreteAdjoint, Fluctuation, TargetRows
from diffpair.observables.pair_pressure import molecular_virial_sums, virial_sums
from diffpair.observables.pressure import BAR, PressureProbe
from diffpair.potentials import TableGrid
from diffpair.states import NO_TYPE, State, make_system, own_system
from diffpair.tables import PairTable
from diffpair.targets import PressureTarget, RdfTarget

REFERENCE = openmm.Platform.getPlatformByName("Reference")
GRID = TableGrid(0.25, 1.2, 16)
BOX = np.array([[3.0, 0, 0], [0.6, 2.8, 0], [-0.4, 0.5, 3.1]])
TEMPERATURE = 300.0


def molecules():
    """Bent trimers of unlike masses with two constraints, a bond and a virtual site each, beside beads, frozen beads
    and beads without a type, all charged; in a triclinic box, molecules across its boundary."""
    rng = np.random.default_rng(3)
    system, bonds, charges = openmm.System(), openmm.HarmonicBondForce(), openmm.NonbondedForce()
    types, positions, exclusions = [], [], []

    def add(mass, kind, x, charge):
        types.append(kind)
        positions.append(x)
        charges.addParticle(charge, 0.3, 0.1)
        return system.addParticle(mass)

    for k in range(14):
        x = rng.random(3) @ BOX
        first = add(12.0, 0, x, 0.3)
        add(1.0, 1, x + np.array([0.2, 0, 0]), -0.2)
        add(4.0, 0, x + np.array([0.05, 0.25, 0]), -0.1)
        add(0.0, 1, 0.6 * positions[first] + 0.1 * positions[first + 1] + 0.3 * positions[first + 2], 0.1 * (-1) ** k)
        system.setVirtualSite(first + 3, openmm.ThreeParticleAverageSite(first, first + 1, first + 2, 0.6, 0.1, 0.3))
        system.addConstraint(first, first + 1, 0.2)
        system.addConstraint(first, first + 2, float(np.hypot(0.05, 0.25)))
        bonds.addBond(first + 1, first + 2, 0.25, 500.0)
        for i in range(4):
            for j in range(i):
                charges.addException(first + i, first + j, 0.0, 0.3, 0.0)
                exclusions.append((first + j, first + i))
    for mass, kind in [(3.0, 1)] * 8 + [(0.0, 0)] * 4 + [(5.0, NO_TYPE)] * 6:
        add(mass, kind, rng.random(3) @ BOX, 0.2 * (-1) ** len(types))
    charges.setNonbondedMethod(charges.PME)
    charges.setCutoffDistance(1.1)
    charges.setUseSwitchingFunction(True)
    charges.setSwitchingDistance(0.7)
    charges.setPMEParameters(3.0, 20, 20, 20)
    system.setDefaultPeriodicBoxVectors(*BOX)
    for force in (bonds, charges):
        system.addForce(force)
    r = 0.3 + 0.04 * np.arange(20)
    masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
    return State(
        name="wet", type_names=("A", "B"), types=np.array(types), masses=masses, positions=np.array(positions), box=BOX,
        exclusions=np.array(exclusions), temperature=TEMPERATURE,
        targets=[RdfTarget(("A", "A"), r, np.ones(20)), PressureTarget(500.0, 20.0)], base_system=system,
    )  # fmt: skip


@pytest.fixture(scope="module")
def state():
    return molecules()


@pytest.fixture(scope="module")
def rows(state):
    return TargetRows(state)


@pytest.fixture(scope="module")
def table():
    coefficients = np.random.default_rng(1).normal(scale=2.0, size=(3, GRID.knots + 2))
    coefficients[:, :4] += 20
    coefficients[:, -3:] = 0
    return PairTable(("A", "B"), GRID.r_min, GRID.cutoff, coefficients)


@pytest.fixture(scope="module")
def frames(state):
    """Rotated and moved molecules, in boxes of other sizes: any frames will do for identities; atoms with a type."""
    rng, xs, boxes = np.random.default_rng(0), [], []
    for _ in range(4):
        x = state.positions.copy()
        for first in range(0, 56, 4):
            turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
            x[first : first + 4] = x[first] + (x[first : first + 4] - x[first]) @ turn
        boxes.append(BOX * (1 + 0.03 * rng.random()))
        xs.append(x + rng.integers(-1, 2, size=3) @ boxes[-1])
    x, boxes = np.array(xs), np.array(boxes)
    probe = PressureProbe(own_system(state), TEMPERATURE, REFERENCE, strain=1e-5)
    centres = np.array([probe.molecules.centres(one) for one in x])
    virials = np.array([probe.virial(*one) for one in zip(x, boxes, strict=True)])
    return Frames(x, np.zeros_like(x), boxes, np.zeros(4), centres, virials)


def openmm_pressures(state, frames, coefficients, strain=1e-5):
    """bar, [F], of the whole System by energies of scaled boxes."""
    table = PairTable(("A", "B"), GRID.r_min, GRID.cutoff, coefficients)
    system, _ = make_system(state, table)
    probe = PressureProbe(system, TEMPERATURE, REFERENCE, strain=strain)
    return probe.pressures(frames.positions, frames.boxes)


def test_it_is_the_pressure_of_openmms_barostat(state, frames, table):
    """computeCurrentPressure of molecules at rest, which scales by 1 +- 0.001: all but the kinetic part."""
    system, _ = make_system(state, table)
    barostat = openmm.MonteCarloBarostat(1.0, TEMPERATURE)
    system.addForce(barostat)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), REFERENCE)
    probe = PressureProbe(system, TEMPERATURE, REFERENCE, strain=1e-3)
    assert probe.molecules.num_moving == 14 + 8 + 6
    for x, box in zip(frames.positions, frames.boxes, strict=True):
        context.setPeriodicBoxVectors(*box)
        context.setPositions(x)
        context.setVelocities(np.zeros_like(x))
        assert probe.virial(x, box) == pytest.approx(barostat.computeCurrentPressure(context)._value, rel=1e-9)


def test_row_and_its_slope(state, rows, frames, table):
    """The row is the whole System's pressure; dP/dc at fixed positions that of OpenMM's numbers along any direction."""
    seen = frames.of_atoms(state.typed)
    c = torch.from_numpy(table.coefficients.copy())
    sums = Fluctuation().sums(rows, c, GRID, seen)
    unit = rows.pressure.ideal
    assert unit == pytest.approx(BAR * 28 * BOLTZMANN * TEMPERATURE / state.volume) and len(rows) == len(rows.rdf) + 1
    np.testing.assert_allclose(
        sums.observables[:, -1] * unit, openmm_pressures(state, frames, table.coefficients), rtol=1e-7
    )
    (slopes,) = sums.explicit.values()
    for seed in range(3):
        direction = np.random.default_rng(seed).normal(size=table.coefficients.shape)
        direction[:, -3:] = 0
        both = [openmm_pressures(state, frames, table.coefficients + sign * direction) for sign in (1, -1)]
        np.testing.assert_allclose(slopes @ direction.ravel() * unit, (both[0] - both[1]) / 2, rtol=1e-6, atol=1e-3)
    assert rows.target[-1] == pytest.approx(500.0 / unit) and rows.error[-1] == pytest.approx(20.0 / unit)


def test_atoms_and_molecules_differ(state, rows, frames):
    """Within molecules atoms keep their distance when the box grows: the virial of atoms is another number. Single
    particles, which are their own centres, have that of atoms to the bit."""
    seen = frames.of_atoms(state.typed)
    x, boxes, centres = map(torch.from_numpy, (seen.positions.copy(), seen.boxes, seen.centres))
    of_atoms = virial_sums(x, boxes, rows.topology, **GRID._asdict())
    of_molecules = molecular_virial_sums(x, boxes, centres, rows.topology, **GRID._asdict())
    assert float((of_molecules - of_atoms).abs().max()) > 10
    assert torch.equal(molecular_virial_sums(x, boxes, x, rows.topology, **GRID._asdict()), of_atoms)


def test_a_live_simulation_keeps_what_the_row_needs(state, rows, table):
    """Frames of the Sampler, atoms without a type left out, give the pressure of the whole System at its positions."""
    soft = PairTable(("A", "B"), GRID.r_min, GRID.cutoff, np.zeros_like(table.coefficients))
    live = Sampler(state, soft, timestep=1e-5, seed=1, platform="Reference", further_virial=True)
    openmm.LocalEnergyMinimizer.minimize(live.context, 100.0, 300)
    live.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    frames = live.sample(20, 10)
    plain = live.sample(0, 10)
    assert plain.centres.shape == (0, state.num_atoms, 3)
    c = torch.from_numpy(table.coefficients.copy())
    found = Fluctuation().sums(rows, c, GRID, frames.of_atoms(state.typed)).observables[:, -1]
    expected = openmm_pressures(state, frames, table.coefficients, strain=2e-4)
    np.testing.assert_allclose(found * rows.pressure.ideal, expected, rtol=1e-4)
    part = Frames.joined([frames.at([1]), frames])
    assert part.centres.shape == (3, state.num_atoms, 3)
    assert np.array_equal(part.further_virial[1:], frames.further_virial)


def test_segments_are_refused(state, rows, frames):
    x = torch.from_numpy(frames.of_atoms(state.typed).positions.copy())
    with pytest.raises(DiffPairError, match="state 'wet' has a target pressure beside further forces or molecules"):
        rows.values(x, torch.from_numpy(frames.boxes), torch.zeros(3, GRID.knots + 2, dtype=torch.float64), GRID)
    with pytest.raises(DiffPairError, match="state 'wet' has a target pressure beside further forces or molecules"):
        DiscreteAdjoint(timestep=0.001).check(rows)
