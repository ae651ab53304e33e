"""The evidence, against normal distributions with the whole covariance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from diffpair.updates.marginal import Marginal

RNG = np.random.default_rng(4)
M, Y, P, Q = RNG.normal(size=(9, 4)), RNG.normal(size=9), RNG.normal(size=9), RNG.normal(size=9)
AMPLITUDES = np.array([1e-3, 0.5, 40.0])


def test_evidence_is_that_of_the_normal_distribution():
    log = Marginal(M, Y, AMPLITUDES, log_determinant=1.5).log
    constant = 0.5 * 9 * np.log(2 * np.pi) + 1.5
    expected = [multivariate_normal(np.zeros(9), a * M @ M.T + np.eye(9)).logpdf(Y) for a in AMPLITUDES]
    assert log == pytest.approx(np.array(expected) + constant - 3.0)


def test_products_with_the_inverse():
    expected = [P @ np.linalg.solve(a * M @ M.T + np.eye(9), Q) for a in AMPLITUDES]
    assert Marginal(M, Y, AMPLITUDES).product(P, Q) == pytest.approx(np.array(expected))
