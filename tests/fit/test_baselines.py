"""Iterative Boltzmann inversion and inverse Monte Carlo: their formulas on made-up numbers, and a fit with each."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from diffpair.config import run_fit
from diffpair.errors import DiffPairError
from diffpair.potentials import BSpline, LennardJones, TableGrid, tabulate
from diffpair.tables import PairTable, load_uncertainty
from diffpair.updates import InverseMonteCarlo, IterativeBoltzmann, Memory, Observation, ParameterSpace, RdfView
from diffpair.updates import StateView as View
from diffpair.updates.basis import spline_basis

GRID = TableGrid(0.8, 2.5, 60)
WIDTH = GRID.knots + 2
R = np.linspace(0.9, 3.0, 106)  # to beyond the cutoff
FINE = np.linspace(0.9, 2.8, 106)
ONE = np.array([1.0])


def space_of(types=("A",)):
    space = ParameterSpace(BSpline(types, 2.5, 0.8, 60), GRID, [()], 1.0, np.ones(len(types) * (len(types) + 1) // 2))
    with torch.no_grad():
        row = tabulate(LennardJones(("A",), 2.5), GRID)[0, :-3]
    space.set(row.repeat(space.potential.npairs).numpy())
    return space


def view(space, targets, measured, kT=1.0, jacobian=None, sampled_table=None):
    """A state whose g of pairs 0, 1 .. is measured [pairs][n], and wanted as targets: pairs of (r, g)."""
    rdfs, residual, start = [], [], 0
    for pair, ((r, wanted), g) in enumerate(zip(targets, measured, strict=True)):
        rdfs.append(RdfView(pair, slice(start, start + len(r)), r, wanted))
        residual.append(g - wanted)
        start += len(r)
    residual = np.concatenate(residual)
    table = space.tables()[0] if sampled_table is None else sampled_table
    none = np.zeros((0, len(table)))
    sigma = np.full(len(residual), 0.01)
    known = none if jacobian is None else jacobian
    seen = Observation(table, residual, sigma, known, none, np.diag(sigma**2))
    shape = (space.potential.npairs, WIDTH)
    weights = np.broadcast_to(np.where(GRID.centres().numpy() > 0.9, GRID.centres().numpy() ** 2, 0.0), shape)
    probe = np.tile(spline_basis(GRID, R[R > 1.0]), (1, space.potential.npairs)) / space.potential.npairs
    return View(Memory([seen]), 0, probe, kT, weights, rdfs=tuple(rdfs))


def change(space, before, r, pair=0):
    return spline_basis(GRID, r) @ (space.tables()[0] - before).reshape(-1, WIDTH)[pair]


def bump(r, height=0.2):
    return height * np.exp(-(((r - 1.5) / 0.2) ** 2))


def test_the_formula_of_iterative_boltzmann_inversion():
    """dU = damping kT ln(g / target); with kT = 1.3 and half of it."""
    space = space_of()
    before, target = space.tables()[0], np.ones(len(R))
    step = IterativeBoltzmann(damping=0.5).step(space, [view(space, [(R, target)], [np.exp(bump(R))], kT=1.3)])
    r = np.linspace(1.0, 2.2, 50)  # up to where it begins to go to zero
    np.testing.assert_allclose(change(space, before, r), 0.5 * 1.3 * bump(r), atol=1e-3)
    assert step.size == pytest.approx(0.5 * 0.2, rel=0.01)
    assert step.chi == pytest.approx(np.sqrt(np.mean((np.expm1(bump(R)) / 0.01) ** 2)))


def test_the_formula_of_its_multistate_form():
    """The mean over states of kT_s (1 - r / cutoff) ln(g_s / target_s)."""
    space = space_of()
    before, target = space.tables()[0], np.ones(len(R))
    states = [
        view(space, [(R, target)], [np.exp(height * np.ones(len(R)))], kT=kT)
        for height, kT in ((0.2, 1.0), (-0.1, 1.5))
    ]
    IterativeBoltzmann().step(space, states)
    r = np.linspace(1.0, 2.2, 50)
    np.testing.assert_allclose(change(space, before, r), 0.5 * (0.2 - 0.15) * (1 - r / 2.5), atol=2e-3)


def test_each_pair_has_its_own_bins_and_range():
    """A-A: coarse bins to beyond the cutoff; A-B: fine ones to 1.8 nm, nothing beyond; B-B has no target."""
    space = space_of(("A", "B"))
    before = space.tables()[0]
    short = FINE[FINE < 1.8]
    targets = [(R, np.ones(len(R))), (short, np.ones(len(short)))]
    IterativeBoltzmann().step(space, [view(space, targets, [np.exp(bump(R)), np.exp(-bump(short))])])
    r = np.linspace(1.0, 1.6, 30)
    np.testing.assert_allclose(change(space, before, r, 0), bump(r), atol=1e-3)
    np.testing.assert_allclose(change(space, before, r, 1), -bump(r), atol=1e-3)
    assert np.abs(change(space, before, np.linspace(1.85, 2.4, 30), 1)).max() < 1e-3
    assert np.abs(change(space, before, r, 2)).max() < 1e-12


def test_where_nothing_is_measured():
    """A wall that is too far out: g = 0 below 1.2, the target 1 from 1.0 on. U falls there, by ln 100 at most."""
    space = space_of()
    before = space.tables()[0]
    target, g = np.where(R > 1.0, 1.0, 0.0), np.where(R > 1.2, 1.0, 0.0)
    IterativeBoltzmann().step(space, [view(space, [(R, target)], [g])])
    moved = change(space, before, np.linspace(1.02, 1.15, 20))
    assert np.isfinite(space.get()).all() and np.all(moved < -2) and np.all(moved > -6)


def test_smoothing_takes_noise_off_the_correction():
    rng, rough = np.random.default_rng(3), []
    g = 1 + rng.normal(scale=0.05, size=len(R))
    for smoothing in (0, 4):
        space = space_of()
        before = space.tables()[0]
        IterativeBoltzmann(smoothing=smoothing).step(space, [view(space, [(R, np.ones(len(R)))], [g])])
        rough.append(np.std(np.diff(change(space, before, FINE[FINE > 1.0]))))
    assert rough[1] < 0.4 * rough[0]


def test_damping_after_a_failure_and_back():
    update = IterativeBoltzmann(damping=0.8)
    update.shrink(0.25)
    other = IterativeBoltzmann(damping=0.8)
    other.restore(update.content())
    assert other.factor == pytest.approx(0.2)
    for _ in range(10):
        other.grow()
    assert other.factor == 0.8


def linear_problem(seed=5):
    """g that is linear in the table, and a table nearby: (space, Jacobian, g there, wanted g, the change between)."""
    rng = np.random.default_rng(seed)
    space = space_of()
    r = np.linspace(0.95, 2.45, 150)
    jacobian = -spline_basis(GRID, r) - 0.02 * rng.normal(size=(len(r), WIDTH))
    free = (GRID.centres().numpy() > 0.95) & (np.arange(WIDTH) < WIDTH - 3)
    wanted = np.where(free, 0.1 * rng.normal(size=WIDTH), 0.0)
    return space, r, jacobian, np.ones(len(r)), 1 + jacobian @ wanted, wanted, free


@pytest.mark.parametrize(("regularisation", "noise"), [(0.0, 0.01), (None, 1e-6)])
def test_inverse_monte_carlo_solves_a_linear_problem_in_one_step(regularisation, noise):
    """Where g is known well the choice by the data holds nothing back."""
    space, r, jacobian, g, target, wanted, free = linear_problem()
    before = space.tables()[0]
    state = view(space, [(r, target)], [g], jacobian=jacobian)
    state = replace(state, weights=np.where(free, GRID.centres().numpy() ** 2, 0.0)[None])
    (seen,) = state.memory.observations
    state = replace(state, memory=Memory([replace(seen, sigma=np.full(len(r), noise))]))
    step = InverseMonteCarlo(regularisation=regularisation, radius=10.0).step(space, [state])
    np.testing.assert_allclose((space.tables()[0] - before)[free], wanted[free], atol=1e-6)
    assert step.predicted_change == pytest.approx(np.abs(jacobian @ wanted).mean(), rel=1e-3)


def test_inverse_monte_carlo_after_a_failure():
    """It knows the sampled table, not the present one: half a step on, half of the change is left to do."""
    space, r, jacobian, g, target, wanted, free = linear_problem()
    sampled = space.tables()[0]
    space.set((sampled + 0.5 * wanted)[: space.size])
    state = view(space, [(r, target)], [g], jacobian=jacobian, sampled_table=sampled)
    state = replace(state, weights=np.where(free, GRID.centres().numpy() ** 2, 0.0)[None])
    InverseMonteCarlo(regularisation=0.0, radius=10.0).step(space, [state])
    np.testing.assert_allclose((space.tables()[0] - sampled)[free], wanted[free], atol=1e-6)


def test_inverse_monte_carlo_keeps_to_its_radius():
    space, r, jacobian, g, target, _, free = linear_problem()
    before = space.tables()[0]
    state = view(space, [(r, target)], [g], jacobian=1e-3 * jacobian)
    state = replace(state, weights=np.where(free, GRID.centres().numpy() ** 2, 0.0)[None])
    update = InverseMonteCarlo(radius=1.0)
    assert update.radius == pytest.approx(0.3)  # to begin with
    step = update.step(space, [state])
    assert step.size == pytest.approx(0.3)
    assert np.abs(change(space, before, np.linspace(1.0, 2.5, 400))).max() == pytest.approx(0.3, rel=0.1)
    with pytest.raises(DiffPairError, match="Jacobian of the fit is not finite"):
        InverseMonteCarlo().step(
            space, [replace(state, memory=view(space, [(r, target)], [g * np.nan], jacobian=jacobian).memory)]
        )


SHORT = {"timestep": "5 fs", "equilibration": 200, "steps": 1500, "every": 10, "melt": 1500}


@pytest.mark.parametrize(
    ("update", "part"),
    [({"method": "ibi", "iterations": 6}, 0.35), ({"method": "imc", "iterations": 6, "damping": 0.5}, 0.6)],
)
def test_fit(make_config, out, update, part):
    production = {"max_steps": 1000, "noise_target": 0.1}
    config = make_config(sampling=SHORT, production=production, update=update, start="boltzmann-inversion")
    run_fit(config, out)
    maes = [h["mae"] for h in json.loads((out / "history.json").read_text())]
    assert min(maes[-2:]) < part * maes[0]
    band, r = load_uncertainty(out / "potential.json"), np.linspace(1.0, 2.3, 60)
    error = PairTable.load(out / "potential.json").energy(r) - 4 * (r**-12 - r**-6) + 4 * (2.5**-12 - 2.5**-6)
    assert np.mean(np.abs(error) < 3 * band.at(r)) > 0.8
    assert band.bootstrap.shape == band.sigma.shape and (band.bootstrap[:, 20:-20] > 0).all()


def test_iterative_boltzmann_inversion_of_a_form_with_two_numbers(make_config, out):
    """The corrected table is pulled back to sigma and epsilon."""
    common = {
        "potential": {"form": "lj", "cutoff": "2.5 nm", "sigma": "0.97 nm", "epsilon": "1.2 kJ/mol"},
        "sampling": {**SHORT, "steps": 600},
        "production": {"max_steps": 1000, "noise_target": 0.1},
    }
    run_fit(make_config(update={"method": "ibi", "iterations": 8}, **common), out)
    maes = [h["mae"] for h in json.loads((out / "history.json").read_text())]
    assert min(maes[-2:]) < 0.5 * maes[0]
