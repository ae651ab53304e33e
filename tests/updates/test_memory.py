"""What the memory of a fit makes of noisy Jacobians, against repeated draws of them."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.updates import Memory, Observation, RdfView, StateView, observations
from diffpair.updates.linear_model import logarithmic

ROWS, WIDTH, FRAMES = 7, 4, 60.0


def test_noise_of_the_pooled_residual_is_that_of_repeated_fits(monkeypatch):
    """Three samplings far from each other on the way to a table; every fit draws its own noise of <g> and of J."""
    monkeypatch.setattr(observations, "NONLINEARITY", 0.0)  # the model is linear
    rng = np.random.default_rng(2)
    true = rng.normal(size=(ROWS, WIDTH))
    half = 0.02 * (np.eye(ROWS) + 0.5 * np.eye(ROWS, k=1))  # of the noise of <g>: neighbouring rows share it
    covariance, by_c = half @ half.T, rng.normal(size=(WIDTH, WIDTH))
    sigma = np.sqrt(np.diag(covariance))
    doubt = np.sqrt(ROWS) * by_c
    tables = [3.0 * rng.normal(size=WIDTH) * part for part in (1.0, 0.3, 0.05)]
    errors, told = [], []
    for _ in range(3000):
        memory = Memory()
        for table in tables:
            residual = true @ table + half @ rng.normal(size=ROWS)
            jacobian = true + half @ rng.normal(size=(ROWS, WIDTH)) @ by_c
            memory.add(Observation(table, residual, sigma, jacobian, doubt, covariance, FRAMES))
        errors.append(memory.pooled(np.zeros(WIDTH))[0])
        told.append(memory.noise(np.zeros(WIDTH))[0])
    found, expected = np.cov(np.array(errors).T), np.mean(told, axis=0)
    assert np.abs(found - expected).max() < 0.1 * expected.max()
    # it matters here: the noise of <g> alone is far less
    assert found.max() > 2 * covariance.max() / len(tables)


def test_observations_that_the_jacobian_cannot_bring_over_hardly_count():
    """Two residuals that disagree: the near one decides, the more so the worse J is known."""
    jacobian = np.eye(ROWS, WIDTH)
    sigma, covariance = np.full(ROWS, 0.01), 1e-4 * np.eye(ROWS)
    away = np.zeros(WIDTH)
    away[3] = 1e-3  # hardly a change of g, so its nonlinearity is none
    found = []
    for noise in (0.0, 1e5):
        memory = Memory()
        for table, residual in ((away, 1.0), (np.zeros(WIDTH), 0.0)):
            doubt = noise * np.eye(WIDTH)
            memory.add(Observation(table, np.full(ROWS, residual), sigma, jacobian, doubt, covariance, FRAMES))
        found.append(memory.pooled(np.zeros(WIDTH))[0][0])
    assert found[0] == pytest.approx(0.5, abs=0.01)
    assert 0 <= found[1] < 0.1


def test_old_residuals_count_little_also_where_their_change_happens_to_be_zero():
    """J brings the first observation over by 0 in one row and by 50 errors in the others: it is far from linear there,
    so what it says of that one row is worth little too."""
    jacobian = np.zeros((ROWS, WIDTH))
    jacobian[1:, 0] = 0.5
    sigma, covariance = np.full(ROWS, 0.01), 1e-4 * np.eye(ROWS)
    far, none = np.zeros(WIDTH), np.zeros((0, WIDTH))
    far[0] = 1.0
    memory = Memory()
    for table, residual in ((far, 1.0), (np.zeros(WIDTH), 0.0)):
        memory.add(Observation(table, np.full(ROWS, residual), sigma, jacobian, none, covariance, FRAMES))
    residual, error, _ = memory.pooled(np.zeros(WIDTH))
    assert 0 < residual[0] < 0.02
    assert np.abs(residual).max() < 0.02
    assert error[0] == pytest.approx(0.01, rel=0.05)


def test_rows_of_g_count_as_logarithms():
    target, now = np.array([0.02, 0.5, 2.0, 1.0]), np.array([0.3, 0.02, 2.1, 1.0])
    view = RdfView(0, slice(1, 5), np.arange(4.0), target)
    state = StateView(Memory(), 0, np.zeros((0, 1)), 1.0, np.zeros((1, 1)), rdfs=(view,))
    residual = np.concatenate([[7.0], now - target])  # the first row is no g
    result, scale = logarithmic(state, residual)
    least = 0.02  # 1 % of the largest
    np.testing.assert_allclose(result[1:], (target + least) * np.log((now + least) / (target + least)))
    assert result[0] == 7 and scale[0] == 1 and result[4] == 0 and scale[4] == 1
    step = 1e-6
    ends = [logarithmic(state, residual + sign * step)[0] for sign in (1, -1)]
    np.testing.assert_allclose(scale, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)
    # U in a core is too low by 2 kT: g says five times more than that, its logarithm about as much
    low = slice(1, 2)
    state = StateView(Memory(), 0, np.zeros((0, 1)), 1.0, np.zeros((1, 1)), rdfs=(RdfView(0, low, [1.0], np.ones(1)),))
    wanted, (factor,) = np.exp(2.0) - 1, logarithmic(state, np.array([7.0, np.exp(2.0) - 1]))[1][low]
    linear = logarithmic(state, np.array([7.0, wanted]))[0][1] / (factor * np.exp(2.0))
    assert linear == pytest.approx(2.0, abs=0.05)  # kT: residual over d(residual)/dU
    assert wanted / np.exp(2.0) < 0.9  # kT: what g itself gives


def test_a_theory_is_a_prior_of_the_jacobian():
    """Of the two, that counts along a change of U which is better known there; both errors are Gaussian."""
    rng = np.random.default_rng(3)
    theory, truth = rng.normal(size=(2, 6, 2))
    covariance = np.eye(6)

    def memory(doubt):
        seen = Observation(np.zeros(2), np.zeros(6), np.ones(6), truth, np.diag(doubt), covariance)
        return Memory([seen], theory)

    # fluctuations know the first coefficient and nothing of the second: there the theory, corrected by what its error
    # at the first one tells (regression)
    one, relative = memory([1e-4, 1e3]), observations.THEORY_ERROR * theory
    error = relative.T @ relative
    np.testing.assert_allclose(one.jacobian()[:, 0], truth[:, 0], atol=1e-4)
    corrected = theory[:, 1] + (truth - theory)[:, 0] * error[0, 1] / error[0, 0]
    np.testing.assert_allclose(one.jacobian()[:, 1], corrected, atol=1e-4)
    # where both are as good, the mean; and the noise of the mean of two is that of one over 2
    same = Observation(np.zeros(2), np.zeros(6), np.ones(6), truth, relative, covariance)
    both = Memory([same], theory)
    np.testing.assert_allclose(both.jacobian(), (theory + truth) / 2)
    noise = both.jacobian_noise()
    np.testing.assert_allclose(noise.T @ noise, relative.T @ relative / 6 / 2)
    # never more than either
    for doubt in ([0.1, 0.2], [1.0, 0.01]):
        after = memory(doubt).jacobian_noise()
        for before in (np.diag(doubt).T @ np.diag(doubt) / 6, relative.T @ relative / 6):
            assert np.linalg.eigvalsh(before - after.T @ after).min() > -1e-9


def test_a_theory_counts_near_the_target_only():
    """It is the response of a fluid with the target's g: of one that is far from that it says nothing."""
    theory, own = np.ones((4, 2)), 3 * np.ones((4, 2))
    far, near = (
        Observation(np.zeros(2), np.full(4, off), np.ones(4), own, np.eye(2), np.eye(4))
        for off in (2 * observations.THEORY_REACH, 0.5 * observations.THEORY_REACH)
    )
    memory = Memory([far], theory)
    np.testing.assert_array_equal(memory.jacobian(), own)
    np.testing.assert_array_equal(memory.jacobian_noise(), Memory([far]).jacobian_noise())
    memory.add(near)
    assert (memory.jacobian() < own).all()
