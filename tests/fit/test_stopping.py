"""When a fit ends, how long it samples, and how far it trusts its model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from diffpair.config import run_fit
from diffpair.fit.iterate.effort import Effort
from diffpair.fit.iterate.trust import reduction_ratio
from diffpair.fit.judge.numbers_off import numbers_off
from diffpair.fit.judge.stopping import IDLE, Stopping
from diffpair.fit.record.iteration import Iteration
from diffpair.gradients import TargetRows
from diffpair.settings import Density
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget
from diffpair.updates import Memory, Observation

RNG = np.random.default_rng(0)


def iteration(number, mae=0.01, significance=5.0, pooled_noise=0.001, accepted=True):
    entry = Iteration(number, mae, 0.003, accepted, 0.02, 1.0, 1000, 1.0)
    entry.significance, entry.pooled_noise = significance, pooled_noise
    return entry


def test_stops_when_the_rest_is_noise_that_was_averaged_enough():
    stopping = Stopping(0.002)
    before = [iteration(1), iteration(2)]
    assert stopping.reason([*before, iteration(3)]) == ""
    assert "at its statistical noise" in stopping.reason([*before, iteration(3, significance=0.4)])
    assert stopping.reason([iteration(1), iteration(2, significance=0.4)]) == ""
    assert stopping.reason([*before, iteration(3, significance=0.4, pooled_noise=0.003)]) == ""
    assert stopping.reason([*before, iteration(3, significance=0.4, accepted=False)]) == ""
    assert stopping.reason([*before, iteration(3, significance=float("nan"))]) == ""
    lost = iteration(3, significance=0.1)
    lost.chi = 55.0
    assert stopping.reason([*before, lost]) == ""


def test_goes_on_while_a_single_number_is_off():
    """A density three errors off is nothing in a chi over a hundred bins of g."""
    stopping = Stopping(0.002)
    for last, word in ((0.4, "statistical noise"), (1.5, "no progress")):
        history = [iteration(i, significance=last) for i in range(1, IDLE + 2)]
        assert word in stopping.reason(history)
        history[-1].off = 3.0
        assert stopping.reason(history) == ""
        history[-1].off, history[-2].off = 1.0, 3.0  # mended since
        assert word in stopping.reason(history)


def test_how_far_a_number_is_off():
    """In units of the target's error and of the samplings', which averages out and counts no more than the former; or
    how much less the samplings tell than the target, twice."""
    r = np.arange(0.805, 2.5, 0.01)
    g = RdfTarget(("A", "A"), r, np.where(r < 0.95, 0.0, 1.0))
    options = {"temperature": 120.27, "pressure": 1.0}
    targets = [g, Density("0.8 nm^-3", "0.0024 nm^-3")]  # 0.3 %
    rows = TargetRows(build_lattice("liquid", 256, 0.8, {"A": 1.0}, 1.0, targets=targets, **options))
    count = len(rows)
    noise = np.append(np.full(count - 1, 0.01), 0.004)
    residual = np.append(np.full(count - 1, 0.5), -0.02)
    seen = Observation(np.zeros(1), residual, noise, np.ones((count, 1)), np.zeros((1, 1)), np.diag(noise**2))
    memory = Memory([seen])
    assert numbers_off(memory, rows) == pytest.approx(0.02 / np.hypot(0.003, 0.003))
    memory = Memory([seen] * 4)
    assert numbers_off(memory, rows) == pytest.approx(0.02 / np.hypot(0.002, 0.003))
    vague = replace(seen, residual=0 * residual, covariance=np.diag((3 * noise) ** 2))
    assert numbers_off(Memory([vague]), rows) == pytest.approx(2 * 0.012 / 0.003)
    assert numbers_off(memory, TargetRows(build_lattice("liquid", 256, 0.8, {"A": 1.0}, 1.0, 120.27, [g]))) == 0


def test_stops_without_progress():
    stuck = [iteration(i, mae=0.01, significance=1.5) for i in range(1, IDLE + 2)]
    assert "no progress" in Stopping(1e-6).reason(stuck)
    assert Stopping(1e-6).reason(stuck[:-1]) == ""
    better = [*stuck[:-1], iteration(IDLE + 1, mae=0.005, significance=1.5)]
    assert Stopping(1e-6).reason(better) == ""


def test_fit_ends_before_its_last_iteration_and_says_why(make_config, out):
    """Many iterations are allowed, 9 or 10 are needed."""
    update = {"method": "gauss-newton", "iterations": 40}
    sampling = {"timestep": "5 fs", "equilibration": 50, "steps": 800, "every": 10, "melt": 600}
    production = {"max_steps": 1000, "noise_target": 0.1}
    summary = json.loads(run_fit(make_config(sampling=sampling, production=production, update=update), out).read_text())
    assert summary["iterations"] <= 14
    assert summary["stopped"].startswith("the residual is at its statistical noise: chi ")
    assert json.loads((out / "history.json").read_text())[-1]["mae"] < 0.01


def test_samplings_grow_within_their_budget():
    effort, lengths = Effort(10), []
    mae = 0.08
    while not effort.exhausted:
        lengths.append(effort.factor)
        effort.spent()
        effort.plan((mae**2 + 0.003**2 / effort.factor) ** 0.5, 0.003 / effort.factor**0.5)
        mae *= 0.5
    assert lengths[0] == 1 and max(lengths) > 1.5
    assert 9.5 <= sum(lengths) <= 10 and len(lengths) < 10
    assert Effort(3).may_repeat and not Effort(2).may_repeat
    assert effort.reason().startswith("the steps of all 10 iterations are spent: ")
    longer = sum(length > 1 for length in lengths)
    assert effort.reason().endswith(f": {longer} samplings were longer, to resolve a small residual")
    drifting = Effort(2)
    drifting.spent(repeated=True)
    assert drifting.left == 1 and not drifting.exhausted
    drifting.spent()
    assert drifting.exhausted
    again = Effort(2)
    again.restore(drifting.content())
    assert again.exhausted and again.reason() == drifting.reason()
    assert drifting.reason().endswith("are spent: 1 sampling was repeated, because the energy drifted")
    fixed = Effort(10, adaptive=False)
    fixed.plan(0.003, 0.003)
    assert fixed.factor == 1 and not fixed.exhausted


def observation(c, residual, jacobian, noise=0.001):
    n = len(residual)
    return Observation(
        c, residual, np.full(n, noise), jacobian, np.zeros((0, len(c))), noise**2 * np.eye(n), frames=100.0
    )


@pytest.mark.parametrize(("part", "expected"), [(1.0, 1.0), (0.5, 0.75), (-0.3, -0.69)])
def test_ratio_of_actual_to_predicted_reduction(part, expected):
    """A step that the model says removes the residual, and that removes `part` of it: ratio 1 - (1 - part)^2."""
    jacobian = RNG.normal(size=(60, 4))
    c = np.ones(4)
    first = observation(c, jacobian @ c, jacobian)
    after = observation(np.zeros(4), (1 - part) * (jacobian @ c), jacobian)
    assert reduction_ratio([Memory([first])], [after]) == pytest.approx(expected, abs=0.01)


def test_noise_gives_no_verdict():
    jacobian = RNG.normal(size=(60, 4))
    c = 1e-5 * np.ones(4)
    first = observation(c, jacobian @ c, jacobian)
    for _ in range(20):
        after = observation(np.zeros(4), 0.001 * RNG.normal(size=60), jacobian)
        assert reduction_ratio([Memory([first])], [after]) is None
    assert reduction_ratio([Memory()], [first]) is None
