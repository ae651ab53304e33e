"""Fits at constant pressure: to g(r) and the density together."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from tests.fit.test_pressure import PRESSURE

from diffpair import Fit, GaussNewton, Production, Sampling, State
from diffpair.config import run_fit
from diffpair.fit.iterate.expansion import EXPANDED, expansion
from diffpair.fit.judge.stopping import LARGEST_OFF
from diffpair.settings import Density, Potential
from diffpair.states import build_lattice
from diffpair.tables import read_document
from diffpair.targets import RdfTarget


def test_density_is_fitted_beside_g(make_config, out):
    """At the pressure that the target's liquid has at 0.845 nm^-3. The fit begins at another density."""
    (state,) = yaml.safe_load(make_config().text)["states"]
    state["system"]["lattice"] |= {"density": "0.8 nm^-3", "pressure": f"{PRESSURE} bar"}
    state["targets"].append({"density": {"value": "0.845 nm^-3"}})
    config = make_config(
        states=[state],
        sampling={"timestep": "5 fs", "equilibration": 1000, "steps": 9000, "every": 10},
        production={"max_steps": 40000, "noise_target": 0.001},
        update={"method": "gauss-newton", "iterations": 8},
    )
    summary = json.loads(run_fit(config, out).read_text())
    (found,) = summary["states"]
    rdf, density = found["targets"]
    assert rdf["kind"] == "rdf" and rdf["mae"] < 0.015
    assert density["kind"] == "density" and (density["target"], density["unit"]) == (0.845, "nm^-3")
    assert abs(density["value"] - 0.845) < 0.005 * 0.845 and 0 < density["error"] < 0.004
    history = json.loads((out / "history.json").read_text())
    assert history[0]["off"] > 5  # of the 50 that 5 % are in units of 0.1 %, equilibration takes a part
    assert len(history) == 8 or "at its statistical noise" not in summary["stopped"] or history[-1]["off"] < LARGEST_OFF
    document = read_document(out / "potential.json")
    assert document["fit"]["targets"][1]["density"]["target"] == 0.845


R = np.arange(0.805, 2.5, 0.01)
LIQUID = RdfTarget(("A", "A"), R, np.where(R < 0.95, 0.0, 1.0))


def isobaric(pressure: float, **further: object) -> State:
    return build_lattice(
        "liquid", 256, 0.8, {"A": 1.0}, 1.0, 120.27, targets=[LIQUID, *further.get("targets", [])], pressure=pressure
    )


def test_a_box_that_expands_to_a_gas_is_told_in_the_iteration():
    """Particles that repel each other alone, at a pressure of next to nothing. Said before production, and once more
    in the summary."""
    told = []
    fit = Fit(
        Potential("soft_sphere", sigma=0.95, epsilon=1.0, cutoff=2.5),
        isobaric(0.1),
        sampling=Sampling(timestep=0.005, equilibration=2000, steps=1000, melt=200),
        production=Production(max_steps=400, noise_target=0.5),
        update=GaussNewton(iterations=1),
        progress=False,
    )
    result = fit.run(callback=lambda fit, iteration: told.append(iteration.note))
    said = "state 'liquid' expands towards a gas under its barostat (0.1 bar): its density is "
    assert told[0].startswith(said) and "nm^-3, and it began with 0.8; the potential does not hold it" in told[0]
    assert any(note.startswith(said) for note in result.summary["notes"])


@pytest.mark.parametrize(("target", "word"), [(None, "it began with 0.8"), ("0.4 nm^-3", "its target is 0.4")])
def test_what_counts_as_expanded(target, word):
    """From the target's density, or from that of the start."""
    state = isobaric(1.0, targets=[Density(target)] if target else [])
    edge = (EXPANDED * 256 / (0.4 if target else 0.8)) ** (1 / 3)
    assert expansion(state, 0.99 * edge * np.eye(3)) == ""
    assert word in expansion(state, 1.01 * edge * np.eye(3))
    assert expansion(replace(state, base_system=None), 9 * edge * np.eye(3)) == ""
