"""Fits at a friction that is given, and fits that learn one: production, failures, going on."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from small_fits import kept_in

import diffpair.fit.produce
from diffpair.config import load_config, run_fit
from diffpair.engines import Exploded
from diffpair.engines.pieces import Bench
from diffpair.fit.assemble import adaptive_samplings
from diffpair.fit.iterate.friction import FrictionFit
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.record.checkpoint import CHECKPOINT
from diffpair.fit.record.progress import FitProgress

SAMPLING = {"timestep": "5 fs", "equilibration": 100, "steps": 400, "every": 10, "melt": 600}
BRIEF = {"max_steps": 1000, "noise_target": 0.1}
GAUSS_NEWTON = {"method": "gauss-newton", "iterations": 2}


class Lines(FitProgress):
    def __init__(self):
        super().__init__()
        self.lines = []

    def say(self, text):
        self.lines.append(text)


@pytest.fixture
def learning(make_config, tmp_path):
    """Two iterations toward C(t)/C(0) of free particles at 2 / ps."""
    t = 0.02 * np.arange(9)
    np.savetxt(tmp_path / "vacf.csv", np.column_stack([t, np.exp(-2 * t)]), delimiter=",")
    gradient = {"method": "adjoint", "segments": 8, "steps": 10, "every": 5, "modes": 2}
    document = yaml.safe_load(
        make_config(sampling=SAMPLING, production=BRIEF, gradient=gradient, update=GAUSS_NEWTON).text
    )
    document["states"][0]["targets"].append({"vacf": {"file": str(tmp_path / "vacf.csv")}})
    document["gradient"]["learn_friction"] = "20 /ps"
    path = tmp_path / "learning.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_config(path)


def test_production_and_resuming_at_once(make_config, out, monkeypatch):
    """Production has the config's friction; a fit that has nothing left to do says of its states what it said."""
    frictions = []

    class Watched(Bench):
        def __init__(self, plan):
            frictions.append(plan.friction)
            super().__init__(plan)

    monkeypatch.setattr(diffpair.fit.produce, "Bench", Watched)
    monkeypatch.setattr(
        LiveState, "warnings", lambda self: self.warnings_before if self.last is None else ["state liquid is odd"]
    )
    config = make_config(sampling={**SAMPLING, "friction": "3 /ps"}, production=BRIEF, update=GAUSS_NEWTON)
    first = json.loads(run_fit(config, out).read_text())
    again = json.loads(run_fit(config, out, resume=True).read_text())
    assert frictions == [3.0, 3.0]
    assert first["independent_frames"]["liquid"] > 1 and again["independent_frames"] == first["independent_frames"]
    assert "state liquid is odd" in first["notes"] and "state liquid is odd" in again["notes"]
    assert adaptive_samplings(config)


def test_vacf_that_explodes(learning, out, monkeypatch):
    """The iteration counts as failed, and nothing of it is kept; what is learned is told in every report."""
    measure = FrictionFit.measure

    def explodes(self, frames, draw, off):
        if draw == 2:
            raise Exploded("the VACF's run blew up")
        return measure(self, frames, draw, off)

    monkeypatch.setattr(FrictionFit, "measure", explodes)
    progress = Lines()
    run_fit(learning, out, progress=progress)
    history = json.loads((out / "history.json").read_text())
    assert [h["accepted"] for h in history] == [True, False] and "blew up" in history[1]["note"]
    content = kept_in(out / CHECKPOINT)
    assert [h["accepted"] for h in content["history"]] == [True, False] and len(
        content["states"][0]["memory"]["observations"]
    ) == 1
    assert not adaptive_samplings(learning) and content["effort"]["factor"] == 1
    (said,) = (line for line in progress.lines if "C(t)/C(0) of the velocities" in line)
    assert "largest deviation from the target 0." in said
    (found,) = (t["vacf"] for t in json.loads((out / "potential.json").read_text())["fit"]["targets"] if "vacf" in t)
    assert found["error"] > 0 and 0 < found["max_deviation"] < 1


def test_noise_ends_a_fit_once_the_friction_has_settled(learning, out, monkeypatch):
    """Every residual counts as noise here; without a settled friction all iterations are done."""
    monkeypatch.setattr("diffpair.fit.judge.stopping.Stopping.reason", lambda self, history: "all is noise")
    summary = json.loads(run_fit(learning, out).read_text())
    assert summary["iterations"] == 2 and summary["stopped"] == "all 2 iterations were done"
    step = FrictionFit.step

    def settles(self, *arguments):
        result = step(self, *arguments)
        self.settled = True
        return result

    monkeypatch.setattr(FrictionFit, "step", settles)
    summary = json.loads(run_fit(learning, out.with_name("settled")).read_text())
    assert summary["iterations"] == 1 and summary["stopped"] == "all is noise"
