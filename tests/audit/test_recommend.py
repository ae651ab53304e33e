"""Recommendations, from audits whose right answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diffpair.audit import LengthAudit, StateAudit, common, lengths_for, recommend
from diffpair.audit.report import document, save
from diffpair.errors import DiffPairError


def entry(steps, cosine, noise, growth, ratio=0.5, segments=400):
    """A length whose mean gradient has norm 1: `noise` is the scatter of one segment."""
    scatter = noise**2
    return LengthAudit(steps, segments, cosine, 0.01, ratio, noise, growth, cosine, 1.0, scatter)


DESIGN = [  # DESIGN's Lennard-Jones liquid
    entry(10, 0.74, 0.3, 0.7),
    entry(25, 0.82, 0.4, 0.6),
    entry(50, 0.90, 0.5, 0.6),
    entry(100, 0.94, 0.9, 0.9),
    entry(200, 0.69, 4, 3.5),
    entry(400, 0.01, 6, 120),
]


def audit_of(lengths, noise=0.1, name="liquid", unusable=None):
    return StateAudit(name, 1000, noise, 0.08, lengths, unusable)


def test_expected_cosine():
    """The mean of R segments, with isotropic noise, against the direction that it should have."""
    rng = np.random.default_rng(0)
    a = np.zeros(200)
    a[0] = 1
    mean = np.zeros(200)
    mean[:2] = 0.8, 0.6
    draws = mean + 1.5 / math.sqrt(200) * rng.normal(size=(4000, 5, 200))
    means = draws.mean(1)
    measured = np.mean(means[:, 0] / np.linalg.norm(means, axis=1))
    assert entry(50, 0.8, 1.5, 1).expected_cosine(5) == pytest.approx(measured, rel=0.01)


@pytest.mark.parametrize(("budget", "steps"), [(100, 50), (400, 50), (1500, 100), (100_000, 100)])
def test_length_at_fixed_cost(budget, steps):
    """Few long segments are noisier than many short ones: the more one gradient may cost, the longer they may be."""
    choice = recommend(audit_of(DESIGN), budget, 1000)
    assert choice.steps == steps
    noise = {50: 0.5, 100: 0.9}[steps]
    assert choice.segments == max(4, math.ceil((3 * noise) ** 2))
    assert noise / math.sqrt(choice.segments) <= 1 / 3
    assert choice.sentence.endswith("segments of 400 steps are chaos")


def test_chaos_ends_the_choice():
    """What follows a chaotic length is not taken, however good it looks."""
    lengths = [entry(10, 0.5, 0.3, 0.5), entry(20, 0.6, 0.3, 9.0), entry(40, 0.99, 0.1, 0.5)]
    assert recommend(audit_of(lengths), 1000, 100).steps == 10
    with pytest.raises(DiffPairError, match="state 'liquid' is chaos even for the shortest segments"):
        recommend(audit_of(lengths[1:]), 1000, 100)
    with pytest.raises(DiffPairError, match="chaos even for the shortest"):
        recommend(audit_of([], unusable=10), 1000, 100)
    assert "segments of 20 steps are chaos" in recommend(audit_of(lengths[:1], unusable=20), 1000, 100).sentence


def test_gradient_that_points_nowhere():
    choice = recommend(audit_of([entry(10, 0.2, 0.3, 0.5), entry(20, 0.3, 0.3, 0.6)]), 1000, 100)
    assert choice.steps == 20
    assert choice.sentence.endswith("no length points the right way: use gradient: {method: fluctuation}")


def test_noisy_reference_and_few_frames():
    choice = recommend(audit_of(DESIGN, noise=0.7), 1500, 3)
    assert choice.steps == 100 and choice.segments == 3
    assert "too noisy to compare with (70 % of its norm)" in choice.sentence
    assert "1/3 of the mean would take 8, but sampling gives only 3 frames" in choice.sentence


def test_one_choice_for_several_states(tmp_path):
    slow = [entry(10, 0.9, 2.0, 0.7), entry(25, 0.95, 1.5, 4), entry(50, 0.5, 9, 50)]
    audits = [audit_of(DESIGN), audit_of(slow, name="$hot$")]
    choice = common(audits, 10_000, 100)
    assert choice.steps == 25
    assert choice.segments == math.ceil(9 * 1.5**2)
    first, second = choice.sentence.splitlines()
    assert first.startswith("state liquid: 4 segments of 25 steps")
    assert second.startswith("state $hot$: 21 segments of 25 steps")
    keys = {"every": 5, "integrator": "nose-hoover", "collision_frequency": 2.0, "chain_length": 4}
    save(tmp_path, audits, choice, keys)
    assert (tmp_path / "audit.png").stat().st_size > 10_000
    content = document(audits, choice, keys)
    assert content["recommended"].items() > {"steps": 25, **keys}.items()
    states = content["states"]
    assert [s["name"] for s in states] == ["liquid", "$hot$"]
    assert states[1]["lengths"][2] == {
        "steps": 50, "segments": 400, "cosine": 0.5, "error": 0.01, "ratio": 0.5, "noise": 9.0, "growth": 50.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("every", "lengths"), [(5, [10, 25, 50, 100, 200, 400]), (1, [10, 25, 50, 100, 200, 400]), (300, [300])]
)
def test_lengths_are_multiples(every, lengths):
    assert lengths_for(every) == lengths
