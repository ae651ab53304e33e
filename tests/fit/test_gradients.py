"""Fits whose gradient is reweighted, audited or watched."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import diffpair.fit.session as session
from diffpair.config import run_fit
from diffpair.errors import DiffPairError
from diffpair.fit.record.progress import FitProgress
from diffpair.gradients import DiscreteAdjoint, segment_products
from diffpair.segments import NoseHoover, Verlet
from diffpair.tables import read_document

SHORT = {"timestep": "5 fs", "equilibration": 50, "steps": 400, "every": 10, "melt": 400, "adaptive": False}
BRIEF = {"max_steps": 1000, "noise_target": 0.1}


@pytest.fixture(autouse=True)
def one_thread():
    """So few atoms do not feed two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def measured(monkeypatch):
    """A list that gets seed, draw and integrator of every adjoint gradient that is measured."""
    seen, measure = [], DiscreteAdjoint.measure

    def watched(self, rows, coefficients, grid, frames, weights, draw=0):
        seen.append((self.seed, draw, self.integrator(rows.state, 0)))
        return measure(self, rows, coefficients, grid, frames, weights, draw)

    def in_batches(method, rows, *others):
        *_, draw = others
        seen.append((method.seed, draw, method.integrator(rows.state, 0)))
        return segment_products(method, rows, *others)

    monkeypatch.setattr(DiscreteAdjoint, "measure", watched)
    monkeypatch.setattr("diffpair.fit.iterate.watch.segment_products", in_batches)
    return seen


class Lines(FitProgress):
    """Keeps what is said."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def history_of(out):
    return json.loads((out / "history.json").read_text())


def test_reweighting_makes_more_of_each_sampling(make_config, out):
    """The same frames, the same small learning rate: several updates per sampling get further than one."""
    common = {
        "sampling": {**SHORT, "steps": 600},
        "production": BRIEF,
        "update": {"method": "adam", "iterations": 4, "learning_rate": 0.004},
        "start": "boltzmann-inversion",
    }
    summary = json.loads(
        run_fit(make_config(gradient={"method": "reweighting", "updates": 30}, **common), out).read_text()
    )
    history = history_of(out)
    assert all(h["updates"] > 1 and 0 < h["effective"]["liquid"] <= 1 for h in history)
    assert all(h["effective"]["liquid"] >= 0.1 for h in history if h["updates"] == 30)  # it ended for another reason
    assert summary["md_steps"] == 400 + 4 * 650
    assert summary["gradient"]["method"] == "reweighting"
    assert summary["gradient"]["updates"] == sum(h["updates"] for h in history)
    run_fit(make_config(gradient={"method": "fluctuation"}, **common), out / "once")
    once = history_of(out / "once")
    assert once[0]["mae"] == history[0]["mae"]
    assert all(h["updates"] == 1 and not h["effective"] for h in once)
    assert history[-1]["mae"] < 0.8 * once[-1]["mae"]


def test_refused_frames_end_the_updates(make_config, out):
    """Only frames of the table itself count fully: with min_effective 1 every update is followed by a sampling."""
    config = make_config(
        sampling=SHORT, production=BRIEF, gradient={"method": "reweighting", "min_effective": 1},
        update={"method": "adam", "iterations": 2},
    )  # fmt: skip
    progress = Lines()
    run_fit(config, out, progress=progress)
    assert [h["updates"] for h in history_of(out)] == [1, 1]
    assert any("in 1 update," in line and "% of the frames effective" in line for line in progress.lines)


def test_audited_steps(make_config, out, monkeypatch, measured):
    """steps: auto: the audit is used, recorded and, when the fit goes on later, not repeated.

    The noise of an iteration's segments depends on its number, not on interruptions.
    """

    class Interrupted(Lines):
        def iteration(self, entry, of):
            super().iteration(entry, of)
            if entry.number == 2:
                raise KeyboardInterrupt

    langevin = {"integrator": "langevin-middle", "friction": "2 /ps"}
    config = make_config(
        sampling=SHORT, production=BRIEF, gradient={"method": "adjoint", "steps": "auto", "every": 10, **langevin},
        update={"method": "adam", "iterations": 3, "learning_rate": 0.02},
    )  # fmt: skip
    progress = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, out, progress=progress)
    assert {(seed, made.name, made.friction) for seed, _, made in measured} == {(1, "langevin-middle", 2.0)}
    assert [draw for _, draw, _ in measured[:12]] == list(range(12))  # the audit's segments of one length
    audit = json.loads((out / "audit.json").read_text())
    chosen = audit["recommended"]
    assert chosen["steps"] in (20, 50, 100, 200) and chosen["steps"] % 10 == 0 and chosen["segments"] >= 4
    (line,) = (line for line in progress.lines if line.startswith("audit ("))
    assert f"state liquid: {chosen['segments']} segments of {chosen['steps']} steps" in line
    assert (out / "audit.png").stat().st_size > 10_000
    monkeypatch.setattr(session, "choose_segments", None)  # would fail if it were called
    summary = json.loads(run_fit(config, out, resume=True, progress=Lines()).read_text())
    assert [draw for _, draw, _ in measured[-4:]] == [1, 2, 2, 3]  # the second one had not been kept
    kept = {"every": 10, "integrator": "langevin-middle", "friction": 2.0}
    assert chosen.items() > kept.items()
    wanted = {"method": "adjoint", "segments": chosen["segments"], "steps": chosen["steps"], **kept}
    assert summary["gradient"] == {**wanted, "audit": "audit.json", "gradients": 3}
    assert read_document(out / "potential.json")["provenance"]["gradient"] == summary["gradient"]
    assert summary["md_steps"] == 400 + 50 + 1200 + 3 * 450


@pytest.mark.parametrize(
    ("given", "kept", "segments"),
    [
        ({}, {"integrator": "verlet"}, Verlet()),
        (
            {"integrator": "nose-hoover", "collision_frequency": "4 /ps"},
            {"integrator": "nose-hoover", "collision_frequency": 4.0, "chain_length": 5},
            NoseHoover(120.27, 4.0, chain_length=5),
        ),
    ],
)
def test_segments_of_the_integrator_that_is_asked_for(make_config, out, measured, given, kept, segments):
    numbers = {"method": "adjoint", "segments": 2, "steps": 20, "every": 10}
    config = make_config(
        sampling={**SHORT, "steps": 100}, production=BRIEF, gradient={**numbers, **given},
        update={"method": "sgd", "iterations": 2, "learning_rate": 0.001}, seed=4,
    )  # fmt: skip
    summary = json.loads(run_fit(config, out, progress=Lines()).read_text())
    assert [(seed, draw, vars(made)) for seed, draw, made in measured] == [(4, n, vars(segments)) for n in (1, 2)]
    assert summary["gradient"] == {**numbers, **kept, "gradients": 2}
    assert read_document(out / "potential.json")["provenance"]["gradient"] == summary["gradient"]


def test_chaos_shortens_the_segments_and_says_so(make_config, out):
    """Segments of 400 steps grow a hundredfold in this liquid; the fit goes on with shorter ones, also when resumed."""
    config = make_config(
        sampling=SHORT, production=BRIEF, gradient={"method": "adjoint", "segments": 2, "steps": 400, "every": 20},
        update={"method": "adam", "iterations": 2, "learning_rate": 0.01},
    )  # fmt: skip
    summary = json.loads(run_fit(config, out, progress=Lines()).read_text())
    note = history_of(out)[0]["note"]
    assert "state 'liquid' has become chaos: on its way back through segments of 400 steps it grows by" in note
    assert "the fit goes on with segments of 200 steps" in note
    assert summary["gradient"]["steps"] <= 200


def test_chaos_that_no_length_avoids(make_config, out, monkeypatch):
    monkeypatch.setattr("diffpair.fit.assemble.CHAOS", 1e-3)
    config = make_config(
        sampling=SHORT, production=BRIEF, gradient={"method": "adjoint", "segments": 2, "steps": 20, "every": 10},
        update={"method": "adam", "iterations": 2},
    )  # fmt: skip
    with pytest.raises(DiffPairError, match=r"stopped in iteration 1: the adjoint gradient .* has become chaos.*10 st"):
        run_fit(config, out, progress=Lines())
    assert np.isfinite(json.loads((out / "start.json").read_text())["r_min"])
