"""Fits at constant pressure: to g(r) and the density together."""

from __future__ import annotations

import json

import yaml
from tests.fit.test_pressure import PRESSURE

from diffpair.config import run_fit
from diffpair.tables import read_document


def test_density_is_fitted_beside_g(make_config, out):
    """At the pressure that the target's liquid has at 0.845 nm^-3. The fit begins at another density."""
    (state,) = yaml.safe_load(make_config().text)["states"]
    state["system"]["lattice"] |= {"density": "0.8 nm^-3", "pressure": f"{PRESSURE} bar"}
    state["targets"].append({"density": {"value": "0.845 nm^-3"}})
    config = make_config(
        states=[state],
        sampling={"timestep": "5 fs", "equilibration": 500, "steps": 6000, "every": 10},
        production={"max_steps": 16000, "noise_target": 0.002},
        update={"method": "gauss-newton", "iterations": 8},
    )
    summary = json.loads(run_fit(config, out).read_text())
    (found,) = summary["states"]
    rdf, density = found["targets"]
    assert rdf["kind"] == "rdf" and rdf["mae"] < 0.015
    assert density["kind"] == "density" and (density["target"], density["unit"]) == (0.845, "nm^-3")
    assert abs(density["value"] - 0.845) < 0.005 * 0.845 and 0 < density["error"] < 0.004
    document = read_document(out / "potential.json")
    assert document["fit"]["targets"][1]["density"]["target"] == 0.845
