"""A time step that is too long for the forces heats a state, which is told."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.bonded import HarmonicTerm
from diffpair.engines import Sampler
from diffpair.engines.temperature import wrong_temperature
from diffpair.states import State
from diffpair.tables import PairTable

NOTHING = np.zeros((1, 12))


def dimers(count: int = 32) -> State:
    """Free ones, 1 nm apart."""
    cells = np.array(list(np.ndindex(4, 4, 2)), dtype=float)[:count]
    positions = (cells[:, None] + np.array([[0, 0, 0], [0.2, 0, 0]])).reshape(-1, 3)
    bonds = np.arange(2 * count).reshape(-1, 2)
    return State(
        "gas", ("A",), np.zeros(2 * count, dtype=np.int64), np.full(2 * count, 30.0), positions, 4 * np.eye(3), bonds,
        300.0, bonds=bonds, bonded=True,
    )  # fmt: skip


def sampler_of(timestep: float, friction: float = 1.0) -> Sampler:
    term = HarmonicTerm.of(("A", "A"), 300_000.0, 0.2)
    table = PairTable(("A",), 0.1, 1.0, NOTHING, bonded=(term,))
    return Sampler(dimers(), table, timestep=timestep, seed=1, friction=friction)


@pytest.mark.parametrize("timestep", [0.002, 0.0125])
def test_a_stiff_bond_alone_does_not_heat(timestep):
    """Its frequency times the time step is 0.28 and 1.77; 2 is the limit of every leapfrog scheme."""
    sampler = sampler_of(timestep)
    sampler.equilibrate(20)
    sampler.sample(200, 2)
    assert not sampler.temperature_fault()


def test_a_state_that_is_hotter_than_its_thermostat():
    sampler = sampler_of(0.002, friction=1e-6)
    sampler.context.setVelocitiesToTemperature(600.0, 1)
    sampler.equilibrate(20)
    sampler.sample(100, 2)
    assert "state gas runs at" in sampler.temperature_fault()
    sampler.context.setVelocitiesToTemperature(300.0, 1)
    sampler.equilibrate(20)
    assert not sampler.temperature_fault(), "nothing was sampled since"


def test_what_is_told():
    said = wrong_temperature("liquid", 461.2, 300.0, 2301, 100, 0.005)
    assert said.startswith("state liquid runs at 461 K instead of 300 K: its time step of 5 fs is too long")
    assert not wrong_temperature("liquid", 320.0, 300.0, 2301, 100, 0.005)
    assert not wrong_temperature("few", 461.2, 300.0, 6, 10, 0.005), "noise of six degrees of freedom"
