"""A fit to g(r) and pressure together."""

from __future__ import annotations

import json

import yaml

from diffpair.config import run_fit
from diffpair.tables import read_document

# bar; of Lennard-Jones (0.845, 1.0) with forces cut off at 2.5, that is U shifted to 0 there: OpenMM's
# CustomNonbondedForce, 256 particles, 60,000 steps of 0.005 ps, rho kT + W / 3V; standard error 0.2
PRESSURE = 42.8


def test_pressure_is_fitted_beside_g(make_config, out):
    """The same fit without the pressure as a target ends 10 bar lower, with as good a g(r)."""
    (state,) = yaml.safe_load(make_config().text)["states"]
    state["targets"].append({"pressure": {"value": f"{PRESSURE} bar"}})
    config = make_config(
        states=[state],
        start="boltzmann-inversion",  # 16 to 20 off; the default start may be at the target by chance
        sampling={"timestep": "5 fs", "equilibration": 300, "steps": 3000, "every": 10},  # 2,000: 10 bar of noise
        production={"max_steps": 6000, "noise_target": 0.004},
        update={"method": "gauss-newton", "iterations": 8},
    )
    (found,) = json.loads(run_fit(config, out).read_text())["states"]
    rdf, pressure = found["targets"]
    assert rdf["kind"] == "rdf" and rdf["mae"] < 0.015
    assert pressure["kind"] == "pressure" and (pressure["target"], pressure["unit"]) == (PRESSURE, "bar")
    assert pressure["value"] == found["pressure"]["value"] and pressure["error"] == found["pressure"]["error"]
    assert abs(pressure["value"] - PRESSURE) < 0.1 * PRESSURE
    history = json.loads((out / "history.json").read_text())
    assert abs(history[-1]["pressure"]["liquid"]) < 0.5 * abs(history[0]["pressure"]["liquid"])
    document = read_document(out / "potential.json")
    assert document["fit"]["targets"][1]["pressure"]["target"] == PRESSURE
    assert document["provenance"]["targets"][1] == {"state": "liquid", "pressure_bar": PRESSURE, "error_bar": None}
