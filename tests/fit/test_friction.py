"""The friction that a fit learns."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.fit.friction import FrictionFit, FrictionObservation

T = 0.01 * np.arange(51)


def observe(fit, rng, true=1.0, noise=0.004, wrong=0.0):
    """Free particles: C = exp(-friction t). wrong: an error of the response, relative."""
    curve = np.exp(-fit.friction * T)
    residual = curve - np.exp(-true * T) + noise * rng.normal(size=len(T))
    response = -(1 + wrong) * fit.friction * T * curve
    return FrictionObservation(fit.log_friction, residual, np.full(len(T), noise), response)


@pytest.mark.parametrize(("start", "wrong"), [(10.0, 0.0), (0.1, 0.0), (10.0, -0.4), (1.0, 0.5)])
def test_finds_the_friction(start, wrong):
    """From ten times too large or too small, with a response that is off, in steps of at most a factor of e."""
    rng = np.random.default_rng(0)
    fit = FrictionFit(start, [], timestep=0.005, segments=8, seed=1)
    path = [fit.log_friction]
    for _ in range(10):
        fit.step(observe(fit, rng, wrong=wrong))
        path.append(fit.log_friction)
    assert np.abs(np.diff(path)).max() <= 1.0 + 1e-12
    assert fit.friction == pytest.approx(1.0, rel=0.03)


def test_error_is_that_of_many_fits():
    """The scatter of ln(friction) over fits; neighbouring lags of a VACF share their noise, here in tens."""
    ends, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        fit = FrictionFit(1.0, [], timestep=0.005, segments=8, seed=1)
        for _ in range(6):
            o = observe(fit, rng, noise=0.0)
            shared = 0.01 * np.append(np.repeat(rng.normal(size=5), 10), 0.0)
            fit.step(FrictionObservation(o.log_friction, o.residual + shared, np.full(len(T), 0.01), o.response))
        ends.append(fit.log_friction)
        errors.append(fit.error)
    assert 0.5 < np.mean(errors) / np.std(ends) < 2


def test_goes_on_where_it_was_left():
    rng = np.random.default_rng(1)
    fit = FrictionFit(10.0, [], timestep=0.005, segments=8, seed=1)
    fit.step(observe(fit, rng))
    other = FrictionFit(3.0, [], timestep=0.005, segments=8, seed=1)
    other.restore(fit.content())
    assert other.friction == fit.friction and other.error == fit.error
