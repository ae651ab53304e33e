"""The System of a state: two types, exclusions and the order of types, against sums in NumPy."""

import numpy as np
import openmm
import pytest

from diffpair.states import build_lattice, make_system
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
