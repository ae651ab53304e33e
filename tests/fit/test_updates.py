"""Updates on a system that is solved on paper: a gas so thin that g(r) = exp(-beta U(r))."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from thin_gas import BASIS, CONTACT, FORMS, GRID, KT, R, ThinGas, g_of, lennard_jones_table

from diffpair.errors import DiffPairError
from diffpair.potentials import GaussianMLP, LennardJones, Sum, TableGrid, TemperatureDependent
from diffpair.updates import (
    GaussNewton,
    Observation,
    ParameterSpace,
    pull_back,
)
from diffpair.updates.gauss_newton import FIRST
from diffpair.updates.linear_model import LinearModel, Start


def iterate(space, gases, update, count):
    for _ in range(count):
        tables = space.tables()
        update.step(space, [gas.observe(tables[gas.variant]) for gas in gases])
    return space.tables()


@pytest.mark.parametrize("form", FORMS)
def test_gauss_newton_solves_the_thin_gas(form):
    """From a wrong start to g, hence to U, in 12 steps of at most 1 kT; a small network is a little less exact."""
    wanted = lennard_jones_table()
    space = ParameterSpace(FORMS[form](), GRID, [()], KT, CONTACT)
    if form != "lj":
        pull_back(space, [lennard_jones_table(0.5, 1.03)], steps=20)
    gas = ThinGas(g_of(wanted))
    assert np.abs(g_of(space.tables()[0]) - gas.target).mean() > 0.05
    (table,) = iterate(space, [gas], GaussNewton(), 12)
    assert np.abs(g_of(table) - gas.target).mean() < (0.005 if form == "mlp" else 0.002)
    known = gas.target > 0.3
    assert np.abs(BASIS[known] @ (table - wanted)).max() < (0.1 if form == "mlp" else 0.05)
    if form == "lj":
        assert torch.cat([p.flatten() for p in space.parameters]).detach().numpy() == pytest.approx([0, 0], abs=0.01)


def test_states_of_two_temperatures_share_one_potential():
    wanted = lennard_jones_table()
    space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
    space.set(lennard_jones_table(0.5)[: space.size])
    gases = [ThinGas(g_of(wanted, kT), kT=kT) for kT in (1.0, 1.7)]
    (table,) = iterate(space, gases, GaussNewton(), 12)
    assert all(np.abs(g_of(table, gas.kT) - gas.target).mean() < 0.002 for gas in gases)


def test_energy_and_entropy_are_told_apart():
    """U - T S from two temperatures: neither state alone fixes both parts."""
    make = FORMS["bspline"]
    space = ParameterSpace(TemperatureDependent(make(), make(), 100.0), GRID, [(100.0,), (150.0,)], KT, CONTACT)
    energy, entropy = lennard_jones_table(1.2), lennard_jones_table(0.3)
    pull_back(space, [lennard_jones_table(0.8), lennard_jones_table(0.8)])
    wanted = [energy - t / 100 * entropy for t in (100.0, 150.0)]
    gases = [ThinGas(g_of(w, kT), v, kT) for v, (w, kT) in enumerate(zip(wanted, (1.0, 1.5), strict=True))]
    tables = iterate(space, gases, GaussNewton(), 15)
    for table, gas in zip(tables, gases, strict=True):
        assert np.abs(g_of(table, gas.kT) - gas.target).mean() < 0.003


def test_a_noisy_residual_is_averaged_over_iterations():
    """At the solution, with noise of 0.01 per bin, pooling keeps the potential steadier than one sample would."""
    rng = np.random.default_rng(0)
    wanted = lennard_jones_table()
    space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
    space.set(wanted[: space.size])
    gas, update, errors = ThinGas(g_of(wanted)), GaussNewton(), []
    for _ in range(12):
        (table,) = space.tables()
        exact = gas.target
        gas.target = exact + rng.normal(scale=0.01, size=len(R))
        view = gas.observe(table)
        gas.memory.observations[-1] = Observation(
            **{**vars(gas.memory.observations[-1]), "sigma": np.full(len(R), 0.01), "covariance": 1e-4 * np.eye(len(R))}
        )
        gas.target = exact
        update.step(space, [view])
        errors.append(np.abs(g_of(space.tables()[0]) - exact).mean())
    assert np.mean(errors[-4:]) < 0.004  # the noise itself is 0.008 in this measure


def test_step_stays_within_the_radius():
    space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
    gas = ThinGas(g_of(lennard_jones_table(3.0)))
    before = space.tables()[0]
    step = GaussNewton(radius=0.25).step(space, [gas.observe(before)])
    moved = BASIS[gas.target > 0.1] @ (space.tables()[0] - before)
    assert step.size <= 0.25 and np.abs(moved).max() <= 0.25 + 1e-9


def test_step_at_the_radius_is_better_than_the_whole_one_scaled_down():
    """g hardly answers to the tail here; what it says clearly comes first."""
    space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
    gas = ThinGas(g_of(lennard_jones_table(1.5)))
    before = space.tables()[0]
    view = gas.observe(before)
    seen = gas.memory.observations[-1]
    answer = np.where(R > 1.4, 0.1, 1.0)[:, None] * seen.jacobian
    gas.memory.observations[-1] = replace(seen, jacobian=answer)
    whole = LinearModel(space, [view], Start.of(space)).change()[1][0]
    length = np.abs(view.probe @ whole).max() / KT
    step = GaussNewton(radius=1.0).step(space, [view])
    moved, radius = space.tables()[0] - before, FIRST
    assert length > 2 * radius and 0.95 * radius < step.size <= radius * (1 + 1e-9)
    gained = [np.sum(seen.residual**2 - (seen.residual + answer @ d) ** 2) for d in (moved, radius / length * whole)]
    assert gained[0] > 2 * gained[1] > 0


def test_a_short_step_is_short_where_hardly_any_particles_are_too():
    """A residual far too large for the radius is not blamed on distances at which the radius does not look."""
    space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
    before = space.tables()[0]
    gas, largest = ThinGas(g_of(lennard_jones_table(3.0))), []
    view = gas.observe(before)
    beyond = BASIS[R > 1.1]
    for radius in (0.1, 0.01):
        space.set(before[: space.size])
        GaussNewton(radius=radius).step(space, [replace(view, probe=beyond)])
        moved = np.abs(space.tables()[0] - before) / space.expected_change()
        largest.append(moved[space.sampled].max() / (FIRST * radius))
    assert max(largest) < 2


def test_the_price_is_on_the_step_and_not_on_the_way_from_the_start():
    """Where U has moved already a step as dear as can be stays there."""
    space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
    start, gas = Start.of(space), ThinGas(g_of(lennard_jones_table()))
    moved = lennard_jones_table(0.5)
    space.set(moved[: space.size])
    model = LinearModel(space, [gas.observe(space.tables()[0])], start)
    visited = BASIS[gas.target > 0.1]
    free, dear = (np.abs(visited @ model.change(price)[1][0]).max() for price in (0.0, 1e9))
    assert np.abs(visited @ (moved - start.tables[0])).max() > 0.3 and dear < 0.05 * free


def test_step_that_stays_infinite_is_refused():
    """Neither an endless loop nor a warning of numpy's."""
    space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
    view = ThinGas(g_of(lennard_jones_table())).observe(space.tables()[0])
    with pytest.raises(DiffPairError, match="step of the fit is not finite"):
        GaussNewton().step(space, [replace(view, probe=np.full_like(view.probe, np.inf))])


def test_pull_back_of_a_network():
    """The table of a network becomes the wanted one to 0.05 kT, the core relative to its height."""
    space = ParameterSpace(GaussianMLP(("A",), 2.5, hidden=(48, 48), seed=2), GRID, [()], KT, CONTACT)
    wanted = lennard_jones_table()
    assert pull_back(space, [wanted], steps=30, tolerance=0.01) < 0.05
    visited = R > 0.95
    assert np.abs(BASIS[visited] @ (space.tables()[0] - wanted)).max() < 0.15


def test_jacobian_of_tables_by_finite_differences():
    potential = Sum([FORMS["bspline"](), GaussianMLP(("A",), 2.5, hidden=(6,))])
    for each, grid in ((potential, GRID), (GaussianMLP(("A", "B"), 2.5, hidden=(6,)), TableGrid(0.8, 2.5, 30))):
        space = ParameterSpace(each, grid, [()], KT, np.ones(each.npairs))
        theta, direction = space.get(), np.random.default_rng(1).normal(size=space.size)
        (jacobian,) = space.jacobians()
        ends = []
        for sign in (1, -1):
            space.set(theta + sign * 1e-6 * direction)
            ends.append(space.tables()[0])
        np.testing.assert_allclose(jacobian @ direction, (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-6)


def test_noise_of_the_jacobian_does_not_shorten_steps():
    """Along combinations of knots that g hardly answers to, such a caution would hold on to whatever U is there."""
    ends = []
    for doubt in (0.0, 1000.0):
        space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
        space.set(lennard_jones_table(0.98)[: space.size])
        gas, update = ThinGas(g_of(lennard_jones_table())), GaussNewton()
        view, width = gas.observe(space.tables()[0]), GRID.knots + 2
        gas.memory.observations[-1] = replace(gas.memory.observations[-1], doubt=doubt * np.eye(width))
        update.step(space, [view])
        ends.append(space.tables()[0])
    np.testing.assert_allclose(*ends, atol=1e-9)


def test_nothing_to_learn():
    with pytest.raises(DiffPairError, match="no parameter to learn"):
        ParameterSpace(LennardJones(("A",), 2.5).requires_grad_(False), GRID, [()], KT, CONTACT)


@pytest.mark.parametrize("pressure", [2.0, -10.0])
def test_a_fluid_is_not_put_under_tension(pressure):
    """P / (rho kT) of the wanted potential is 2 or -10; only the latter is avoided, as far as the noisy data allow."""
    wanted, ends = lennard_jones_table(), []
    well = np.where((GRID.centres().numpy() > 1.05) & (GRID.centres().numpy() < 2), wanted, 0)
    virial = (pressure - 1) / (well @ well) * well
    for row in (None, virial):
        space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
        space.set(lennard_jones_table(0.3)[: space.size])
        gas, update = ThinGas(g_of(wanted)), GaussNewton()
        for _ in range(6):
            view = gas.observe(space.tables()[0])
            noisy = replace(gas.memory.observations[-1], covariance=0.5**2 * np.eye(len(R)))
            gas.memory.observations[-1] = noisy
            update.step(space, [replace(view, virial=row)])
        ends.append(1 + virial @ space.tables()[0])
    assert ends[0] > 1 if pressure > 0 else ends[0] < -3
    if pressure > 0:
        assert ends[1] == pytest.approx(ends[0], abs=1e-9)
    else:
        assert -0.5 < ends[1] < 0.2
