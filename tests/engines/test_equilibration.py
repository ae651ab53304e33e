"""Statistics of correlated series whose answers are known on paper."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.engines.equilibration import drifts, equilibrated_from, inefficiency


def autoregressive(rho, count, seed):
    """x_t = rho x_{t-1} + noise: C(t) = rho^t, hence g = (1 + rho) / (1 - rho)."""
    noise = np.random.default_rng(seed).normal(size=count)
    x = np.zeros(count)
    for t in range(1, count):
        x[t] = rho * x[t - 1] + noise[t]
    return x


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_inefficiency_of_an_autoregressive_series(rho):
    found = np.mean([inefficiency(autoregressive(rho, 20_000, seed)) for seed in range(5)])
    assert found == pytest.approx((1 + rho) / (1 - rho), rel=0.1)


def test_inefficiency_has_bounds():
    assert inefficiency(np.ones(50)) == 1
    assert inefficiency(np.array([3.0])) == 1
    assert inefficiency(np.array([1.0, -1.0] * 50)) == 1


def test_relaxation_at_the_beginning_is_found():
    series = autoregressive(0.5, 1000, 1)
    series[:200] += 20 * np.exp(-np.arange(200) / 50)
    start, effective = equilibrated_from(series)
    assert 100 <= start <= 350
    assert 100 < effective < 500


def test_only_a_drift_is_called_one():
    steady = [autoregressive(0.9, 300, seed) for seed in range(100)]
    assert sum(map(drifts, steady)) <= 2
    assert all(drifts(series + np.linspace(0, 40, 300)) for series in steady)
    assert not drifts(np.arange(6.0))
