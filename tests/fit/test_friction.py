"""The friction that a fit learns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from diffpair.engines import Sampler
from diffpair.engines.vacf import sample_vacf
from diffpair.fit.iterate.friction import ERROR_FLOOR, FrictionFit, FrictionObservation, TableDoubt
from diffpair.states import build_lattice
from diffpair.tables import PairTable

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
    alike = np.kron(np.eye(6), np.ones((10, 10)))[: len(T), : len(T)]
    for seed in range(60):
        rng = np.random.default_rng(seed)
        fit = FrictionFit(1.0, [], timestep=0.005, segments=8, seed=1)
        for _ in range(6):
            o = observe(fit, rng, noise=0.0)
            shared = 0.01 * np.append(np.repeat(rng.normal(size=5), 10), 0.0)
            residual, sigma = o.residual + shared, np.full(len(T), 0.01)
            fit.step(FrictionObservation(o.log_friction, residual, sigma, o.response, correlation=alike))
        ends.append(fit.log_friction)
        errors.append(fit.error)
    assert np.mean(errors) == pytest.approx(np.std(ends), rel=0.25)


def test_error_does_not_depend_on_the_spacing_of_lags():
    """The same curve of the same simulations with lags half and a quarter as far apart: the same error, which is the
    scatter over simulations."""
    state = build_lattice("free", 40, 0.2, {"A": 1.0}, 1.0, 120.27)
    sampler = Sampler(state, PairTable(("A",), 0.5, 2.0, np.zeros((1, 20))), timestep=0.01, friction=5.0, seed=2,
                      platform="Reference")  # fmt: skip
    errors, ends = [], []
    for _ in range(8):
        start, found = sampler.snapshot(), []
        for stride in (8, 4, 2):
            sampler.restore(start)
            sampler.integrator.setRandomNumberSeed(1 + sampler.steps_done)
            vacf = sample_vacf(sampler, 48 // stride + 1, stride, 1000)
            t = 0.01 * stride * np.arange(48 // stride + 1)
            curve = np.exp(-5 * t)
            fit = FrictionFit(5.0, [], timestep=0.01, segments=8, seed=1)
            sigma = np.sqrt(vacf.error**2 + ERROR_FLOOR**2)
            fit.step(FrictionObservation(fit.log_friction, vacf.value - curve, sigma, -5 * t * curve,
                                         correlation=vacf.correlation))  # fmt: skip
            found.append((fit.error, fit.log_friction))
        errors.append([each[0] for each in found])
        ends.append([each[1] for each in found])
    coarse, middle, fine = np.mean(errors, axis=0)
    assert middle == pytest.approx(coarse, rel=0.15) and fine == pytest.approx(coarse, rel=0.15)
    assert np.mean(errors, axis=0) == pytest.approx(np.std(ends, axis=0, ddof=1), rel=0.5)


def test_goes_on_where_it_was_left():
    rng = np.random.default_rng(1)
    fit = FrictionFit(10.0, [], timestep=0.005, segments=8, seed=1)
    fit.step(observe(fit, rng))
    other = FrictionFit(3.0, [], timestep=0.005, segments=8, seed=1)
    other.restore(fit.content())
    assert other.friction == fit.friction and other.error == fit.error


def test_settles_once_its_error_is_small():
    """Steps within a large error do not end a fit: more iterations make it smaller."""
    rng = np.random.default_rng(2)
    fit, errors = FrictionFit(1.0, [], timestep=0.005, segments=8, seed=1), []
    while not fit.settled and len(errors) < 20:
        fit.step(observe(fit, rng, noise=0.15))
        errors.append(fit.error)
    assert 3 <= len(errors) < 20 and errors[-1] < 0.03 and errors[1] > 0.04


def test_tables_that_were_off_weigh_little():
    """A wrong table shifts C(t); how far g is off tells by how much it may."""
    rng = np.random.default_rng(3)
    fit = FrictionFit(2.0, [], timestep=0.005, segments=8, seed=1)
    for off in (0.1, 0.05, 0.02, 0.0, 0.0, 0.0):
        o = observe(fit, rng)
        fit.step(FrictionObservation(o.log_friction, o.residual + off * (T > 0), o.sigma, o.response, off=off))
    assert fit.friction == pytest.approx(1.0, rel=0.03)


def test_residuals_are_brought_to_the_present_table():
    """Tables on the way to the right one, (0, 0), shift C(t) by amounts of which each alone looks like a friction."""
    rng, ends = np.random.default_rng(3), []
    by_table = np.stack([T * np.exp(-2 * T), T**2], axis=1)
    for told in (by_table, 0 * by_table):
        fit = FrictionFit(2.0, [], timestep=0.005, segments=8, seed=1)
        for size in (0.4, 0.4, 0.4, 0.4, 0.0, 0.0):
            o, table = observe(fit, rng), size * np.array([1.0, 0.5])
            residual = o.residual + by_table @ table
            fit.step(FrictionObservation(o.log_friction, residual, o.sigma, o.response, (table,), (told,)))
        ends.append(fit.friction)
    assert ends[0] == pytest.approx(1.0, rel=0.02)
    assert abs(ends[1] - 1) > 0.1  # as if the table did not matter


def test_error_of_the_table_is_one_of_the_friction():
    """C = exp(-friction t) + b t: an error of b by 0.1 is one of 10 % in the friction where t is short. Another part of
    the table, which moves a lag that the friction does not, is no such error."""
    rng, short = np.random.default_rng(3), slice(1, 11)
    state = SimpleNamespace(variant=0, state=SimpleNamespace(vacfs=[None]), friction=None)
    fit = FrictionFit(1.0, [state], timestep=0.005, segments=8, seed=1)
    for _ in range(4):
        o = observe(fit, rng, noise=1.3e-3)
        parts = (o.residual[short], o.sigma[short], o.response[short])
        by_table = np.stack([T[short], np.eye(51)[4, short]], axis=1)
        fit.step(FrictionObservation(o.log_friction, *parts, (np.zeros(2),), (by_table,)))
    before, nowhere = fit.error, np.zeros(2)
    fit.conclude([nowhere], TableDoubt([nowhere], [np.array([[0.1], [0.0]])]))
    assert before < 0.01 and fit.error == pytest.approx(0.1, rel=0.1)
    fit.conclude([nowhere], TableDoubt([nowhere], [np.array([[0.0], [0.1]])]))
    assert fit.error < 2 * before
    assert fit.friction == pytest.approx(1.0, rel=0.01)
    fit.conclude([np.array([0.05, 0.0])], None)
    assert fit.friction == pytest.approx(1.05, rel=0.01)  # b t has to be made good
    fit.conclude([nowhere], TableDoubt([np.array([0.05, 0.0])], [np.zeros((2, 1))]))
    assert fit.friction == pytest.approx(1.05, rel=0.01)  # as it would be with the most likely table
