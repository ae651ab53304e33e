"""One cutoff for all nonbonded forces of a group, where the platform is a GPU's."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest

from diffpair import PairTable
from diffpair.engines.sampler import Sampler
from diffpair.errors import DiffPairError
from diffpair.states import State
from diffpair.systems.shared_cutoff import shared_cutoff

PLATFORMS = [mm.Platform.getPlatform(i).getName() for i in range(mm.Platform.getNumPlatforms())]
EDGE, COUNT = 2.6, 27


@pytest.fixture
def charged():
    """A state beside charges whose cutoff is 1.0 nm."""
    system, charges = mm.System(), mm.NonbondedForce()
    charges.setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)
    charges.setCutoffDistance(1.0)
    for k in range(COUNT):
        system.addParticle(40.0)
        charges.addParticle(0.1 * (-1) ** k, 0.3, 0.5)
    system.addForce(charges)
    system.setDefaultPeriodicBoxVectors(*(np.eye(3) * EDGE))
    return State(
        name="charged",
        type_names=("A",),
        types=np.zeros(COUNT, int),
        masses=np.full(COUNT, 40.0),
        positions=(np.array(list(np.ndindex(3, 3, 3))) + 0.5 + 0.1 * np.random.default_rng(1).random((27, 3)))
        * EDGE
        / 3,
        box=np.eye(3) * EDGE,
        exclusions=np.zeros((0, 2), int),
        temperature=300.0,
        base_system=system,
    )


def table(cutoff):
    coefficients = np.zeros((1, 22))
    coefficients[0, :10] = np.linspace(3.0, 0.0, 10)
    return PairTable(("A",), 0.3, cutoff, coefficients)


def forces(state, cutoff, platform):
    sampler = Sampler(state, table(cutoff), timestep=0.002, seed=1, platform=platform)
    return sampler.context.getState(forces=True).getForces(asNumpy=True)._value


@pytest.mark.skipif("OpenCL" not in PLATFORMS, reason="no OpenCL here")
def test_a_gpu_runs_a_table_beside_a_longer_cutoff(charged):
    expected = forces(charged, 0.9, "Reference")
    np.testing.assert_allclose(forces(charged, 0.9, "OpenCL"), expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.skipif("OpenCL" not in PLATFORMS, reason="no OpenCL here")
def test_a_gpu_refuses_a_shorter_one_by_name(charged):
    with pytest.raises(DiffPairError, match=r"'charged': .*cutoff of 1.2 nm .*NonbondedForce \(1 nm\)"):
        forces(charged, 1.2, "OpenCL")
    assert np.isfinite(forces(charged, 1.2, "CPU")).all()


def test_groups_and_processors_need_not_share(charged):
    system = charged.base_system
    assert shared_cutoff("s", system, 0, "CPU", 1.2) == 1.2 and shared_cutoff("s", system, 0, "CUDA", 0.9) == 1.0
    assert shared_cutoff("s", system, 1, "CUDA", 1.2) == 1.2
    with pytest.raises(DiffPairError, match="platform CPU"):
        shared_cutoff("s", system, 0, "CUDA", 1.2)
