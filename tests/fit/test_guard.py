"""Tables that would pull particles into each other are refused before they are run."""

from __future__ import annotations

import json

import numpy as np
import pytest

from diffpair.config import run_fit
from diffpair.errors import DiffPairError
from diffpair.fit import assemble
from diffpair.fit.iterate.guard import attractive_core
from diffpair.tables import PairTable
from diffpair.updates import GaussNewton

NODES = np.linspace(0.7, 2.5, 40)


def table_of(energy):
    """Coefficients are near the values where the spline is smooth."""
    r = np.concatenate([[NODES[0] - (NODES[1] - NODES[0])], NODES, [2.55]])
    c = energy(np.maximum(r, 0.6))
    c[-3:] = 0
    return PairTable(("A",), 0.7, 2.5, c[None])


def lennard_jones(r):
    return 4 * (r**-12 - r**-6)


@pytest.mark.parametrize(
    ("energy", "fault"),
    [
        (lennard_jones, ""),
        (lambda r: 3 * np.exp(-((r - 0.6) ** 2) / 0.1), ""),  # soft, but repulsive
        (lambda r: np.where(r < 0.85, -30.0, lennard_jones(r)), "turns attractive in the core: -"),
        (lambda r: np.where(r < 0.8, 2.0 - 10 * (0.8 - r), np.minimum(lennard_jones(r), 2.0)), "falls toward r = 0"),
        (lambda r: lennard_jones(r) - np.where(r < 0.72, 20.0, 0.0), ""),  # behind a wall of 100 kT
    ],
)
def test_cores(energy, fault):
    found = attractive_core(table_of(energy), np.array([1.0]), 1.0)
    assert (fault in found) if fault else found == ""


def test_fit_does_not_run_such_a_table(make_config, out, monkeypatch):
    """The third step digs a hole into the core: rolled back without a single step of it, and the fit goes on."""

    class Digging(GaussNewton):
        count = 0

        def step(self, space, states):
            self.count += 1
            step = super().step(space, states)
            if self.count == 2:
                theta = space.get()
                theta[:4] = -50.0
                space.set(theta)
            return step

    monkeypatch.setattr(assemble, "make_update", lambda setup: Digging())
    config = make_config(
        sampling={"timestep": "5 fs", "equilibration": 50, "steps": 400, "every": 10, "melt": 400, "adaptive": False},
        production={"max_steps": 1000, "noise_target": 0.1},
        update={"method": "gauss-newton", "iterations": 4, "stop_at_noise": False},
    )
    run_fit(config, out)
    history = json.loads((out / "history.json").read_text())
    assert [h["accepted"] for h in history] == [True, True, False, True]
    assert "turns attractive in the core" in history[2]["note"] and "was not run" in history[2]["note"]
    assert history[2]["md_steps"] == history[1]["md_steps"]


def test_time_step_that_is_too_long_stops_with_what_is_known(make_config, out, monkeypatch):
    """A state that explodes for real in every iteration after the first."""

    class Heating(GaussNewton):
        def step(self, space, states):
            step = super().step(space, states)
            space.set(1e6 * np.abs(space.get()))  # so stiff that 5 fs are far too long
            return step

    monkeypatch.setattr(assemble, "make_update", lambda setup: Heating())
    config = make_config(
        sampling={"timestep": "5 fs", "equilibration": 50, "steps": 200, "every": 10, "melt": 400},
        production={"max_steps": 1000, "noise_target": 0.1},
        update={"method": "gauss-newton", "iterations": 9},
    )
    with pytest.raises(DiffPairError, match=r"5 failures in a row.*exploded.*potential\.json holds the last good"):
        run_fit(config, out)
    assert PairTable.load(out / "potential.json") == PairTable.load(out / "start.json")
