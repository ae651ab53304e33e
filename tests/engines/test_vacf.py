"""The velocity autocorrelation of a live simulation: its formula, and particles that do not interact."""

from __future__ import annotations

import numpy as np
import torch

from diffpair.engines import Sampler
from diffpair.engines.vacf import lag_products, sample_vacf
from diffpair.observables.time_correlation import velocity_autocorrelation
from diffpair.states import build_lattice
from diffpair.tables import PairTable


def test_products_by_hand():
    v = np.random.default_rng(0).normal(size=(9, 5, 3))
    found = lag_products(v, 4)
    assert found.shape == (6, 4)
    for origin in range(6):
        for lag in range(4):
            by_hand = np.mean([v[origin, i] @ v[origin + lag, i] for i in range(5)])
            np.testing.assert_allclose(found[origin, lag], by_hand)
    # all origins of a long trajectory: the differentiable function, which uses more of them at short lags
    v = np.random.default_rng(1).normal(size=(3000, 2, 3))
    v[1:] += v[:-1]
    every = velocity_autocorrelation(torch.from_numpy(v[None]), 3).numpy()
    np.testing.assert_allclose(lag_products(v, 3).mean(0), every, rtol=5e-3)


def test_free_particles():
    """C(t) / C(0) = exp(-friction t), within its error; a change of friction is seen."""
    state = build_lattice("free", 500, 0.2, {"A": 1.0}, 1.0, 120.27)
    sampler = Sampler(state, PairTable(("A",), 0.5, 2.0, np.zeros((1, 20))), timestep=0.01, friction=1.0, seed=2)
    for friction in (5.0, 20.0):
        sampler.set_friction(friction)
        sampler.equilibrate(100)
        found = sample_vacf(sampler, lags=11, stride=2, steps=1500)
        c, error = found.value, found.error
        exact = np.exp(-friction * 0.02 * np.arange(11))
        assert error.max() < 0.03
        assert np.all(np.abs(c - exact) <= 5 * error + 1e-12)
