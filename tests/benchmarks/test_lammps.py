"""The exported table in LAMMPS gives what PairTableForce gives, on several MPI ranks too."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import openmm
import pytest

from diffpair import PairTable, PairTableForce

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import lammps_peer  # noqa: E402

pytestmark = pytest.mark.skipif(not lammps_peer.available(), reason=lammps_peer.LACKS)


def lennard_jones_like(num_types: int) -> PairTable:
    """A table whose pairs of types differ; r_min is so small that no pair is below."""
    types = ("A", "B", "C")[:num_types]
    nodes = 0.25 + (np.arange(62) - 1) * (0.85 - 0.25) / 59
    rows = []
    for row in range(num_types * (num_types + 1) // 2):
        sixth = ((0.32 + 0.01 * row) / nodes) ** 6
        rows.append(4 * (1 + 0.2 * row) * (sixth**2 - sixth))
    coefficients = np.array(rows)
    coefficients[:, -3:] = 0
    return PairTable(types, 0.25, 0.85, coefficients)


@pytest.mark.parametrize(("num_types", "ranks"), [(1, 1), (2, 2), (3, 1)])
def test_energy_and_forces(num_types, ranks):
    random = np.random.default_rng(num_types)
    table, box = lennard_jones_like(num_types), np.array([2.4, 2.5, 2.6])
    positions = (np.array(list(np.ndindex(6, 6, 6))) + 0.5) * box / 6 + random.uniform(-0.06, 0.06, (216, 3))
    types = random.integers(0, num_types, 216)
    force = PairTableForce.fromTable(table)
    force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(box))
    for particle_type in types:
        system.addParticle(1.0)
        force.addParticle(int(particle_type))
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    context.setPositions(positions)
    state = context.getState(energy=True, forces=True)
    result = lammps_peer.run_lammps(table, positions, box, types, ranks=ranks)
    forces = state.getForces(asNumpy=True)._value
    assert result.energy == pytest.approx(state.getPotentialEnergy()._value, rel=1e-5)
    assert np.abs(result.forces - forces).max() / np.sqrt(np.mean(forces**2)) < 1e-3
