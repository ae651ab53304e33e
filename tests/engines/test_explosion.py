"""An explosion is blamed on what it was: each simulation here runs away for one reason, for real."""

import dataclasses
import re

import numpy as np
import openmm
import pytest

from diffpair.engines import Exploded, Sampler
from diffpair.engines.explosion import Trial, _pair_force, _pairs
from diffpair.states import NO_TYPE, build_lattice, make_system
from diffpair.tables import PairTable


def exploding(live, steps=3000):
    with pytest.raises(Exploded) as error:
        live.equilibrate(steps)
    return str(error.value)


@pytest.fixture
def molten(liquid, lj_table):
    """Snapshot of the liquid in equilibrium."""
    live = Sampler(liquid, lj_table, timestep=0.005, seed=1)
    live.melt(600)
    return live.snapshot()


def test_overlap_at_the_start(liquid, table_of, molten):
    """One particle of a liquid in equilibrium is put beside another one."""
    hard = table_of(lambda r: 4 * (r**-12 - r**-6), 0.5, 2.5)
    x = molten.positions.copy()
    x[17] = x[40] + [0.55, 0, 0] + liquid.box[1]  # an image of it
    live = Sampler(liquid, hard, timestep=0.005, seed=1)
    live.restore(dataclasses.replace(molten, positions=x))
    said = exploding(live)
    found = re.search(r"17 and 40 \(A-A\) overlap where it began: they are 0.55 nm apart, where U is ([\d.e+]+)", said)
    assert found and float(found[1]) == pytest.approx(float(hard.energy(0.55)), rel=0.05)


def test_atoms_without_a_type_are_not_to_blame(liquid, table_of, molten):
    """The same with an atom that takes no part beside each of the two."""
    hard = table_of(lambda r: 4 * (r**-12 - r**-6), 0.5, 2.5)
    x, types = molten.positions.copy(), liquid.types.copy()
    x[17], x[3], x[4] = x[40] + [0.55, 0, 0], x[40] + [0.05, 0, 0], x[40] + [0.5, 0, 0]
    types[[3, 4]] = NO_TYPE
    live = Sampler(dataclasses.replace(liquid, types=types), hard, timestep=0.005, seed=1)
    live.restore(dataclasses.replace(molten, positions=x))
    assert "particles 17 and 40 (A-A) overlap where it began" in exploding(live)


def test_overlap_in_a_structure_from_files(liquid, lj_table):
    """Coordinates in angstrom that were taken for nm: all are ten times too near."""
    state = dataclasses.replace(liquid, positions=0.1 * liquid.positions, on_lattice=False)
    said = exploding(Sampler(state, lj_table, timestep=0.005, seed=1))
    assert "overlap where it began" in said and "minimise the energy of the structure, or look at the unit" in said


def test_open_core(liquid, molten, table_of):
    """Lennard-Jones with a hole: from 0.9 nm inward U falls, without a barrier worth the name."""
    holed = table_of(lambda r: np.where(r > 0.93, 4 * (r**-12 - r**-6), 3.0 - 4e3 * (0.93 - r)), 0.8, 2.5)
    live = Sampler(liquid, holed, timestep=0.001, seed=1)
    live.restore(molten)
    assert re.search(
        r"particles \d+ and \d+ \(A-A\) fell into each other, .*falls inward from [\d.]+ kJ", exploding(live)
    )


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_time_step(liquid, lj_table, molten, platform):
    """The liquid is stable with 5 fs and far from it with 200 fs."""
    live = Sampler(liquid, lj_table, timestep=0.2, seed=1, platform=platform)
    live.restore(molten)
    found = re.search(r"the time step of 200 fs is too long: with ([\d.]+) fs it runs on$", exploding(live))
    assert found and float(found[1]) <= 50
    live.set_table(lj_table)
    live.restore(molten)
    assert live.integrator.getStepSize()._value == 0.2


def test_further_forces(liquid, lj_table, molten):
    """A bond that is drawn to ten times its length."""
    system, bonds = openmm.System(), openmm.HarmonicBondForce()
    for mass in liquid.masses:
        system.addParticle(mass)
    bonds.addBond(3, 90, 0.1, 1e6)
    system.addForce(bonds)
    live = Sampler(dataclasses.replace(liquid, base_system=system), lj_table, timestep=0.005, seed=1)
    live.restore(molten)
    assert re.search(r"the System's own forces pull at particle (3|90) with .*look at its bonds", exploding(live))


def test_pairs_and_forces_are_those_of_openmm():
    """Two types, exclusions and a triclinic box: the forces are those of OpenMM, the nearest pair that of all."""
    random = np.random.default_rng(3)
    state = build_lattice("mixture", 64, 1.0, {"A": 0.5, "B": 0.5}, 1.0, 120.27, seed=2)
    box = np.array([[4.2, 0, 0], [1.1, 4.1, 0], [-0.9, 1.3, 4.0]])
    x = random.random((64, 3)) @ box + random.integers(-2, 3, (64, 3)) @ box
    state = dataclasses.replace(state, box=box, positions=x, exclusions=np.array([[0, 1], [5, 9]]))
    coefficients = random.normal(size=(3, 32))
    coefficients[:, -3:] = 0
    table = PairTable(("B", "A"), 0.3, 1.5, coefficients)
    system, _ = make_system(state, table)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(x)
    forces = context.getState(forces=True).getForces(asNumpy=True)._value
    np.testing.assert_allclose(
        [_pair_force(state, table, Trial(False, x, box, np.zeros((64, 3))), i) for i in range(64)], forces, atol=1e-8
    )
    images = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]) @ box
    reduced = x - np.floor(x @ np.linalg.inv(box)) @ box
    r = np.linalg.norm(reduced[:, None, None] - reduced[None, :, None] + images, axis=-1).min(-1)
    r[np.diag_indices(64)] = np.inf
    for i, j in state.exclusions:
        r[i, j] = r[j, i] = np.inf
    nearest = min(_pairs(state, table, Trial(False, x, box, forces)), key=lambda pair: pair.r)
    assert nearest.r == pytest.approx(r.min()) and r[nearest.i, nearest.j] == pytest.approx(r.min())
    assert nearest.energy == pytest.approx(float(table.energy(nearest.r, *nearest.types)))
