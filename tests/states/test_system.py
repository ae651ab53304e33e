"""The System of a state: two types, exclusions and the order of types, against sums in NumPy."""

import numpy as np
import openmm
import pytest

from diffpair.bonded import TabulatedTerm
from diffpair.engines import Sampler
from diffpair.states import NO_TYPE, build_lattice, make_system
from diffpair.tables import PairTable


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_energy_of_two_types_with_exclusions(platform):
    rng = np.random.default_rng(0)
    coefficients = rng.normal(size=(3, 32))
    coefficients[:, -3:] = 0
    table = PairTable(("B", "A"), 0.3, 1.2, coefficients)  # the state has them the other way round
    state = build_lattice("mix", 100, 6.0, {"A": 0.3, "B": 0.7}, [2.0, 3.0], 300.0, seed=4)
    x = state.positions + rng.normal(scale=0.02, size=state.positions.shape)
    state.exclusions = np.array([[0, 1], [5, 3]])

    system, force = make_system(state, table)
    assert force.getNumParticles() == 100 and force.getNumExclusions() == 2
    assert [system.getParticleMass(k)._value for k in range(100)] == state.masses.tolist()
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(platform))
    context.setPositions(x)
    energy = context.getState(energy=True).getPotentialEnergy()._value

    i, j = np.triu_indices(100, 1)
    edge = state.box[0, 0]
    separation = x[i] - x[j]
    r = np.linalg.norm(separation - edge * np.round(separation / edge), axis=1)
    names = np.array(state.type_names)[state.types]
    expected = sum(
        float(table.energy(r[k], names[i[k]], names[j[k]]))
        for k in range(len(r))
        if (i[k], j[k]) not in {(0, 1), (3, 5)} and r[k] < 1.2
    )
    assert energy == pytest.approx(expected, abs=1e-6 if platform == "Reference" else 5e-3)


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_atoms_without_a_type_feel_nothing(platform):
    """The forces of the others are those of a System without them; a new table keeps it so."""
    rng = np.random.default_rng(1)
    tables = [PairTable(("A", "B"), 0.3, 1.2, rng.normal(size=(3, 32)) * (np.arange(32) < 29)) for _ in range(2)]
    state = build_lattice("mix", 90, 6.0, {"A": 0.3, "B": 0.7}, [2.0, 3.0], 300.0, seed=4)
    state.positions += rng.normal(scale=0.02, size=state.positions.shape)
    state.types = np.where(np.arange(90) % 3 == 0, NO_TYPE, state.types)
    state.exclusions = np.array([[0, 1], [1, 2], [4, 5]])
    live = Sampler(state, tables[0], timestep=0.001, seed=1, platform=platform)
    live.set_table(tables[1])
    alone = Sampler(state.of_typed(), tables[1], timestep=0.001, seed=1, platform=platform)
    forces, expected = (each.context.getState(forces=True).getForces(asNumpy=True)._value for each in (live, alone))
    assert live.force.getNumParticles() == live.context.getSystem().getNumParticles() == 90
    np.testing.assert_allclose(forces[state.types != NO_TYPE], expected, atol=1e-6 if platform == "Reference" else 2e-3)
    assert not forces[state.types == NO_TYPE].any()


def test_a_barostat_moves_molecules_of_bonded_terms_as_wholes():
    """OpenMM tells by bonds what is a molecule."""
    state = build_lattice("mix", 100, 6.0, {"A": 1.0}, 2.0, 300.0, pressure=1.0)
    state.bonds, state.bonded = np.array([[0, 1], [1, 2]]), True
    term = TabulatedTerm(("A", "A"), np.array([3.0, 0, 1, 4]), low=0.2, high=0.8, wall=10.0)
    table = PairTable(("A",), 0.3, 1.2, np.zeros((1, 32)), bonded=(term,))
    system, _ = make_system(state, table)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    assert [0, 1, 2] in [list(molecule) for molecule in context.getMolecules()]
    context.setPositions(state.positions)
    lengths = np.linalg.norm(state.positions[[1, 2]] - state.positions[[0, 1]], axis=1)
    energy = context.getState(energy=True).getPotentialEnergy()._value
    assert energy == pytest.approx(term.energy(lengths).sum(), abs=1e-9)
