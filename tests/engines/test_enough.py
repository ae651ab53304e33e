"""Production goes on until all that targets are compared with is known, distributions, pressures and densities too."""

from __future__ import annotations

import dataclasses

import numpy as np
import openmm as mm
import pytest
from tests.engines.test_production import flat_target, run

from diffpair.constants import BOLTZMANN
from diffpair.observables.pressure import BAR
from diffpair.states import State, build_lattice
from diffpair.states.ideal_pressure import FLOOR, ideal_pressure, own_error
from diffpair.targets import DensityTarget, Distribution, PressureTarget

K, X0, COUNT = 400.0, 1.0, 32


@pytest.fixture
def dimers() -> State:
    """Springs in an ideal gas, whose lengths are known: p ~ r^2 exp(-k (r - x0)^2 / 2 kT)."""
    system, spring = mm.System(), mm.HarmonicBondForce()
    spring.setUsesPeriodicBoundaryConditions(True)
    for i in range(2 * COUNT):
        system.addParticle(1.0)
        if i % 2:
            spring.addBond(i - 1, i, X0, K)
    system.addForce(spring)
    system.setDefaultPeriodicBoxVectors(*(4 * np.eye(3)))
    bonds = np.arange(2 * COUNT).reshape(-1, 2)
    places = np.random.default_rng(1).uniform(0, 4, (COUNT, 3))
    positions = (places[:, None] + [[0, 0, 0], [X0, 0, 0]]).reshape(-1, 3)
    edges = np.linspace(0.7, 1.35, 27)
    fine = np.linspace(0.7, 1.35, 26 * 20 + 1)
    middle = 0.5 * (fine[1:] + fine[:-1])
    p = (middle**2 * np.exp(-0.5 * K * (middle - X0) ** 2 / (BOLTZMANN * 120.27))).reshape(26, 20).mean(1)
    target = Distribution(("A", "A"), edges, p / (p.sum() * (edges[1] - edges[0])))
    return State(
        "gas", ("A",), np.zeros(2 * COUNT, dtype=np.int64), np.ones(2 * COUNT), positions, 4 * np.eye(3), bonds,
        120.27, [target], bonds=bonds, base_system=system, on_lattice=False,
    )  # fmt: skip


def test_distributions_are_known_at_the_end(dimers, no_table):
    result = run(dimers, no_table, timestep=0.01, noise_target=0.004, max_steps=400_000, friction=5.0)
    (found,) = result.distributions
    assert result.converged and found.known and 0.015 < found.l1_noise <= 0.02 and not result.notes
    assert found.l1 < 2 * found.l1_noise
    assert 4000 < result.steps < 200_000
    short = run(dimers, no_table, timestep=0.01, noise_target=0.001, max_steps=4000, friction=5.0)
    assert not short.converged
    assert short.notes[0].startswith(
        "state 'gas' ran its 4000 steps, but the noise of the integral |p - target| of the"
    )
    assert short.notes[0].endswith("(wanted: 0.005)") and "the bond A-A is still " in short.notes[0]


def test_a_slow_distribution_is_not_known(dimers, no_table):
    """Hardly any motion: all frames are one, and their noise is next to nothing."""
    result = run(dimers, no_table, timestep=3e-4, every=1, max_steps=200, noise_target=1.0, equilibration=0)
    assert not result.converged and not result.distributions[0].known and result.steps == 200
    assert "200 steps are too short to tell the noise of the bond A-A" in result.notes[0]


def test_a_pressure_is_known_to_its_own_error(liquid, lj_table):
    """It takes longer where that is smaller."""
    settings = {"timestep": 0.005, "every": 20, "max_steps": 40_000, "melt": 1000, "noise_target": 0.03}
    tight = 0.06 * ideal_pressure(liquid)
    results = []
    for error in (10 * tight, tight):
        liquid.targets = [flat_target(0.8, 2.5, 34), PressureTarget(0.0, error)]
        results.append(run(liquid, lj_table, **settings))
    assert results[0].steps < results[1].steps < 40_000
    assert all(one.converged for one in results) and 0.5 * tight < results[1].pressures[0].error <= tight


def test_a_density_is_known_to_its_own_error(no_table):
    """An ideal gas, whose density answers to pressure alone: it has no g(r) as a target."""
    state = build_lattice("gas", 64, 1.0, {"A": 1.0}, 1.0, 120.27, pressure=BAR * BOLTZMANN * 120.27)
    found = []
    for error in (0.03, 0.015):
        state.targets = [DensityTarget(1.0, error, "nm^-3")]
        found.append(run(state, no_table, max_steps=400_000))
        (density,) = found[-1].densities
        assert found[-1].converged and 0.5 * error < density.error <= error
        assert abs(density.value - 1) < 5 * error
    assert found[1].steps > 2 * found[0].steps
    state.targets = [DensityTarget(1.0, None, "nm^-3")]
    short = run(state, no_table, max_steps=4000)
    assert "its density is known to " in short.notes[-1] and short.notes[-1].endswith("nm^-3 only (wanted: 0.001)")


def test_errors_of_numbers(gas, dimers):
    """rho kT is that of molecules where the pressure is."""
    kT = BAR * BOLTZMANN * 120.27
    assert ideal_pressure(gas) == pytest.approx(kT) and ideal_pressure(dimers) == pytest.approx(0.5 * kT)
    assert own_error(gas, PressureTarget(3.0)) == pytest.approx(FLOOR * kT)
    assert own_error(gas, PressureTarget(3.0, 2.0)) == 2.0
    assert DensityTarget(0.8).own_error == pytest.approx(0.0008) and DensityTarget(0.8, 0.1).own_error == 0.1
    assert ideal_pressure(dataclasses.replace(gas, masses=np.zeros(64))) == pytest.approx(kT)
