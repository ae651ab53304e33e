"""Tikhonov's term by the evidence: against the best there is, on linear problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from diffpair.updates.tikhonov import AMPLITUDES, evidence_term

ROWS, KNOTS = 60, 30
SMOOTH = np.exp(-0.5 * ((np.linspace(0, 1, ROWS)[:, None] - np.linspace(0, 1, KNOTS)) / 0.08) ** 2)  # ill-conditioned
NO_DOUBT = np.zeros((0, KNOTS))


def solve(matrix, y, term):
    return np.linalg.solve(matrix.T @ matrix + term, matrix.T @ y)


def problems(scale, size, matrix_noise=0.0):
    """Twenty: (matrix that is known, true one, y, true x); noise of y is 1."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        x = size * rng.normal(size=KNOTS)
        true = scale * SMOOTH
        y = true @ x + rng.normal(size=ROWS)
        yield true + matrix_noise * rng.normal(size=true.shape), true, y, x


@pytest.mark.parametrize(("scale", "size"), [(30.0, 0.1), (300.0, 0.1), (100.0, 1.0), (10.0, 0.03)])
def test_near_the_best_choice(scale, size):
    """The error of x is within a tenth of that of the best of all constant terms, which only the truth can tell."""
    chosen, errors = 0.0, np.zeros(len(AMPLITUDES))
    for matrix, _, y, x in problems(scale, size):
        chosen += np.sum((solve(matrix, y, evidence_term(matrix, y, NO_DOUBT, 1.0)) - x) ** 2)
        errors += [np.sum((solve(matrix, y, np.eye(KNOTS) / a) - x) ** 2) for a in AMPLITUDES]
    assert chosen < 1.1 * errors.min()
    assert errors.max() > 1.5 * errors.min()  # it matters


def test_the_noise_of_the_matrix_is_not_amplified():
    """Over matrices that the known one may stand for: what a step leaves of y, where its direction is hardly known."""
    rng, noise = np.random.default_rng(5), 20.0
    doubt = noise * np.sqrt(ROWS) * np.eye(KNOTS)  # <N^T N>
    matrix = 30 * SMOOTH + noise * rng.normal(size=SMOOTH.shape)
    y = 300 * rng.normal(size=ROWS)
    careful, careless = (solve(matrix, y, evidence_term(matrix, y, d, 1.0)) for d in (doubt, NO_DOUBT))
    draws = [matrix + noise * rng.normal(size=matrix.shape) for _ in range(200)]
    left, left_careless = (np.mean([np.sum((m @ x - y) ** 2) for m in draws]) for x in (careful, careless))
    assert left < np.sum(y**2) and left < 0.8 * left_careless
    assert left == pytest.approx(np.sum((matrix @ careful - y) ** 2) + np.sum((doubt @ careful) ** 2), rel=0.05)


def test_a_problem_without_noise_is_solved():
    rng = np.random.default_rng(2)
    matrix = 1e4 * (np.eye(KNOTS) + 0.1 * rng.normal(size=(KNOTS, KNOTS)))
    x = 0.3 * rng.normal(size=KNOTS)
    step = solve(matrix, matrix @ x, evidence_term(matrix, matrix @ x, NO_DOUBT, 1.0))
    np.testing.assert_allclose(step, x, atol=1e-6)


def test_noise_alone_makes_no_step():
    y = np.random.default_rng(3).normal(size=ROWS)
    step = solve(100 * SMOOTH, y, evidence_term(100 * SMOOTH, y, NO_DOUBT, 1.0))
    assert np.abs(100 * SMOOTH @ step).mean() < 0.1 * np.abs(y).mean()


@pytest.mark.parametrize("unit", [1.0, 6.2])
def test_the_most_probable_amplitude(unit):
    """Against normal distributions with the whole covariance."""
    rng = np.random.default_rng(4)
    matrix, doubt = 20 * SMOOTH + rng.normal(size=SMOOTH.shape), 2 * rng.normal(size=(5, KNOTS))
    y = matrix @ (0.2 * rng.normal(size=KNOTS)) + rng.normal(size=ROWS)
    amplitudes = unit * AMPLITUDES
    d = np.trace(doubt.T @ doubt) / ROWS
    covariances = [a * matrix @ matrix.T + (1 + a * d) * np.eye(ROWS) for a in amplitudes]
    best = amplitudes[np.argmax([multivariate_normal(np.zeros(ROWS), c).logpdf(y) for c in covariances])]
    np.testing.assert_allclose(evidence_term(matrix, y, doubt, unit), doubt.T @ doubt + np.eye(KNOTS) / best)
