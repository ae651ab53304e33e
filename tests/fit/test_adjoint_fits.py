"""Fits by the adjoint alone: Gauss-Newton on the Jacobian of segments, and a friction from a VACF."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pytest
import torch
import yaml
from small_fits import kept_in

from diffpair.config import load_config, run_fit
from diffpair.engines import Sampler
from diffpair.engines.vacf import sample_vacf
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.judge.uncertainty import uncertainty
from diffpair.fit.record.progress import FitProgress
from diffpair.gradients import Fluctuation
from diffpair.potentials import LennardJones, TableGrid, to_table
from diffpair.states import build_lattice

SAMPLING = {"timestep": "5 fs", "equilibration": 200, "steps": 1000, "every": 10, "melt": 1000}
BRIEF = {"max_steps": 1000, "noise_target": 0.1}
GRADIENT = {"method": "adjoint", "segments": 12, "steps": 40, "every": 10, "modes": 40}


@pytest.fixture(autouse=True)
def one_thread():
    """So few atoms do not feed two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def history_of(out):
    return json.loads((out / "history.json").read_text())


def test_gauss_newton_without_fluctuations(make_config, out, monkeypatch):
    """The residual falls to a fifth within seven iterations; cov(g, S) is never taken, but for the error band of what
    was found; an interruption changes nothing of what is remembered."""
    jacobian, remember, found = Fluctuation.jacobian, LiveState.remember, []

    def refuse(*arguments):
        if not found:
            raise AssertionError("the fluctuation Jacobian was taken")
        return jacobian(*arguments)

    def band(*arguments):
        found.append(True)
        return uncertainty(*arguments)

    def for_the_band(*arguments):
        found.append(True)
        remember(*arguments)
        found.clear()

    class Interrupted(FitProgress):
        def iteration(self, entry, of):
            super().iteration(entry, of)
            if entry.number == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(LiveState, "remember", for_the_band)
    monkeypatch.setattr(Fluctuation, "jacobian", refuse)
    monkeypatch.setattr(Fluctuation, "__call__", refuse)
    monkeypatch.setattr("diffpair.fit.iterate.loop.uncertainty", band)
    update = {"method": "gauss-newton", "iterations": 7}
    config = make_config(
        sampling=SAMPLING, production=BRIEF, gradient=GRADIENT, update=update, start="boltzmann-inversion"
    )
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, out, progress=Interrupted())
    kept = kept_in(out / "checkpoint.pt")["states"][0]["memory"]
    assert kept["known"] and kept["batches"].shape[0] == 4 and len(kept["moves"]) in (0, 1)
    summary = json.loads(run_fit(config, out, resume=True).read_text())
    history = history_of(out)
    assert min(h["mae"] for h in history) < 0.2 * history[0]["mae"]
    assert (
        summary["gradient"]["gradients"] == 40 + summary["iterations"] - 1
    )  # all modes once, then one of every iteration


def test_a_jacobian_is_made_of_no_fewer_segments_than_by_default(make_config, out):
    """steps: auto chooses segments for one gradient; with five of them Gauss-Newton ended at twice the residual."""

    class Lines(FitProgress):
        lines: ClassVar[list[str]] = []

        def say(self, text):
            self.lines.append(text)

    gradient = {"method": "adjoint", "steps": "auto", "every": 10, "modes": 4}
    update = {"method": "gauss-newton", "iterations": 1}
    sampling = {**SAMPLING, "steps": 400, "melt": 400, "equilibration": 50}
    config = make_config(sampling=sampling, production=BRIEF, gradient=gradient, update=update)
    summary = json.loads(run_fit(config, out, progress=Lines()).read_text())
    recommended = json.loads((out / "audit.json").read_text())["recommended"]
    # 7 to 18, as the noise of so few frames has it
    assert summary["gradient"]["segments"] == max(16, recommended["segments"])
    assert recommended["steps"] == summary["gradient"]["steps"]
    told = any("made of 16 segments" in line for line in Lines.lines)
    assert told == (recommended["segments"] < 16)


def test_friction_is_learned(make_config, out, tmp_path):
    """The target is that of Lennard-Jones with a friction of 2 / ps; from 20 / ps it falls by up to e a step."""
    lattice = build_lattice("lj", 256, 0.845, {"A": 1.0}, 1.0, 120.27)
    table = to_table(LennardJones(("A",), 2.5), TableGrid(0.75, 2.5, 60))
    sampler = Sampler(lattice, table, timestep=0.005, friction=2.0, seed=4)
    sampler.melt(1000)
    c = sample_vacf(sampler, lags=9, stride=4, steps=2000).value
    np.savetxt(tmp_path / "vacf.csv", np.column_stack([0.02 * np.arange(9), c]), delimiter=",")
    config = make_config(
        sampling={**SAMPLING, "steps": 400}, production=BRIEF, gradient={**GRADIENT, "modes": 4},
        update={"method": "gauss-newton", "iterations": 2},
    )  # fmt: skip
    document = yaml.safe_load(config.text)
    document["states"][0]["targets"].append({"vacf": {"file": str(tmp_path / "vacf.csv")}})
    document["gradient"]["learn_friction"] = "20 /ps"
    path = tmp_path / "with-vacf.yaml"
    path.write_text(yaml.safe_dump(document))
    summary = json.loads(run_fit(load_config(path), out).read_text())
    learned = summary["gradient"]["friction"]
    # two iterations and the last step, of a factor of e at most
    assert 20 / np.e**3 < 1.01 * learned["value"] < 6 and learned["error"] > 0 and learned["gradients"] == 16
    assert json.loads((out / "potential.json").read_text())["provenance"]["gradient"]["friction"] == learned
    (vacf,) = (t for t in summary["states"][0]["targets"] if t["kind"] == "vacf")
    assert 0 < vacf["max_deviation"] < 0.5 and vacf["error"] < 0.05
