"""A target that is too high or too low as a whole, in a gas so thin that g(r) = exp(-beta U(r))."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from diffpair.gradients.rdf_rows import FLOOR
from diffpair.potentials import BSpline, TableGrid
from diffpair.updates import GaussNewton, Memory, Observation, ParameterSpace, RdfView, StateView, linear_model
from diffpair.updates.basis import spline_basis
from diffpair.updates.common_factor import EXPECTED, common_factors
from diffpair.updates.linear_model import LinearModel, Start

GRID = TableGrid(0.8, 2.5, 40)
R = np.linspace(0.85, 4.0, 120)  # far beyond the cutoff, where no potential changes g
BASIS = spline_basis(GRID, R)
NOISE = 0.004
NODES = np.maximum(GRID.centres().numpy(), 0.8)
TRUTH = 4 * (NODES**-12.0 - NODES**-6.0) * np.clip((2.5 - NODES) / 0.6, 0, 1)
TRUTH[-3:] = 0
EXACT = np.exp(-BASIS @ TRUTH)


WHITE = NOISE**2 * np.eye(len(R))
SMOOTH = NOISE**2 * (0.2 * np.eye(len(R)) + 0.8 * np.exp(-(((R[:, None] - R) / 0.3) ** 2)))  # as of slow waves


def fit(excess, scale_error=0.0, iterations=6, seed=0, covariance=WHITE, hidden=1.0, jacobian_noise=0.0):
    """Space, model and the states of a fit to a target that is 1 + excess times g.

    covariance: of the noise of g that blocks show, `hidden` times as much is there. jacobian_noise: of what J makes of
    a change of one coefficient by 1 kT, in units of the noise of g, whose correlations it shares.
    """
    rng = np.random.default_rng(seed)
    true_noise = np.linalg.cholesky(hidden * covariance + 1e-12 * np.eye(len(R)))
    space = ParameterSpace(BSpline(("A",), GRID.cutoff, GRID.r_min, GRID.knots), GRID, [()], 1.0, np.array([1.0]))
    space.set(0.7 * TRUTH[: space.size])
    start, update, observations = Start.of(space), GaussNewton(), []
    target = (1 + excess) * EXACT + true_noise @ rng.normal(size=len(R))
    view = RdfView(0, slice(0, len(R)), R, target, scale_error)
    for _ in range(iterations):
        (table,) = space.tables()
        g = np.exp(-BASIS @ table)
        noise, none = true_noise @ rng.normal(size=len(R)), np.zeros((0, len(table)))
        sigma = np.full(len(R), NOISE)
        jacobian, doubt = -g[:, None] * BASIS, none
        if jacobian_noise:
            jacobian = jacobian + jacobian_noise * true_noise @ rng.normal(size=BASIS.shape)
            doubt = jacobian_noise * np.sqrt(len(R)) * np.eye(len(table))
        observations.append(Observation(table, g + noise - target, sigma, jacobian, doubt, covariance))
        weights = (BASIS * (R**2 * EXACT)[:, None]).sum(0)[None]
        state = StateView(
            Memory(list(observations)), 0, BASIS[EXACT > 0.1], 1.0, weights, rdfs=(view,), floor=np.full(len(R), FLOOR)
        )
        update.step(space, [state])
    return space, LinearModel(space, [state], start), state


@pytest.mark.parametrize("excess", [0.02, -0.01])
@pytest.mark.parametrize("scale_error", [0.0, 0.03])
def test_factor_is_found(excess, scale_error):
    _, model, _ = fit(excess, scale_error)
    (found,) = common_factors(model)
    assert found.excess == pytest.approx(excess, abs=3 * found.error + 1e-4)
    assert found.error < 0.1 * abs(excess) and found.gain > 10


@pytest.mark.parametrize("covariance", [WHITE, SMOOTH], ids=["white", "smooth"])
@pytest.mark.parametrize(("hidden", "jacobian_noise"), [(1.0, 0.0), (4.0, 0.5)])
def test_target_without_a_factor_has_none(covariance, hidden, jacobian_noise):
    for seed, iterations in enumerate((2, 3, 6)):
        _, model, _ = fit(0.0, 0.0, iterations, seed, covariance, hidden, jacobian_noise)
        (found,) = common_factors(model)
        assert found.gain < 1


def test_fit_far_from_its_end_cannot_tell():
    """After one iteration 0.8 % of g are still to come."""
    settled = {n: common_factors(fit(0.004, iterations=n)[1])[0].settled for n in (1, 2)}
    assert settled == {1: False, 2: True}


def test_potential_does_not_pay_for_a_factor_that_is_admitted():
    """The wrong scale is 0.04 kT at all distances to those who must believe it."""
    known = BASIS[(EXACT > 0.3) & (R < 2.2)]
    errors = {}
    for scale_error in (0.0, 0.03):
        space, _, _ = fit(0.04, scale_error, iterations=8)
        errors[scale_error] = np.abs(known @ (space.tables()[0] - TRUTH)).mean()
    assert errors[0.03] < 0.01 and errors[0.0] > 0.03


def test_gain_is_that_of_whole_covariances(monkeypatch):
    """One amplitude and one noise, so that nothing is chosen."""
    monkeypatch.setattr(linear_model, "AMPLITUDES", np.array([0.7]))
    monkeypatch.setattr(linear_model, "TARGET_NOISE", np.array([0.1]))
    space, model, state = fit(0.01, iterations=2)
    (found,) = common_factors(model)
    target = (model.scales[0] * state.rdfs[0].target)[:, None]
    # in units of the noise, with all that is doubted: S = a M M^T + 1, u, y
    ((marginal, whitened, _),) = model.marginals(target, *model.doubt())
    u = whitened[:, 0]
    s = 0.7 * marginal.matrix @ marginal.matrix.T + np.eye(len(R))
    y = marginal.data
    more = s + EXPECTED**2 * np.outer(u, u)
    gain = multivariate_normal(np.zeros(len(R)), more).logpdf(y) - multivariate_normal(np.zeros(len(R)), s).logpdf(y)
    assert found.gain == pytest.approx(gain, rel=1e-6)
    assert found.excess == pytest.approx(-(EXPECTED**2) * u @ np.linalg.solve(more, y), rel=1e-6)
    variance = EXPECTED**2 - EXPECTED**4 * u @ np.linalg.solve(more, u)
    assert found.error == pytest.approx(np.sqrt(variance), rel=1e-6)
    # the same number where the target's scale_error has put the factor into C
    given = replace(state, rdfs=(replace(state.rdfs[0], scale_error=EXPECTED),))
    (again,) = common_factors(LinearModel(space, [given], Start(space.get(), space.tables())))
    assert again.gain == np.inf and again.error == pytest.approx(found.error, rel=0.05)
