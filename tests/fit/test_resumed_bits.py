"""A fit that is resumed ends with the bits of one that was never interrupted."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import numpy as np
import pytest
import small_fits
import yaml

from diffpair.config import load_config, make_fit, run_fit
from diffpair.fit.record.progress import FitProgress

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
from killed_fits import bits, differences

ADJOINT = {"method": "adjoint", "segments": 8, "steps": 20, "every": 5, "modes": 4}
FOUR = {"method": "gauss-newton", "iterations": 4, "stop_at_noise": False}


class Interrupted(FitProgress):
    """Where a line or a bar begins so."""

    def __init__(self, at: str):
        super().__init__()
        self.at = at

    def begin(self, what, steps):
        if what.startswith(self.at):
            raise KeyboardInterrupt
        super().begin(what, steps)


def plain(document, folder):
    document["states"].append(copy.deepcopy(document["states"][0]) | {"name": "twice", "replicas": 2})
    document["states"].append(copy.deepcopy(document["states"][0]) | {"name": "apart", "held_out": True})


def at_constant_pressure(document, folder):
    """Whose box becomes so small that rows are left out, between iterations."""
    state = document["states"][0]
    state["system"]["lattice"] |= {"density": "0.83 nm^-3", "n": 108, "pressure": "150 bar"}
    state["targets"].append({"density": {"value": "0.83 nm^-3"}})


def with_a_friction(document, folder):
    t = 0.02 * np.arange(9)
    np.savetxt(folder / "vacf.csv", np.column_stack([t, np.exp(-2 * t)]), delimiter=",")
    document["states"][0]["targets"].append({"vacf": {"file": str(folder / "vacf.csv")}})
    document["gradient"] = ADJOINT | {"learn_friction": "20 /ps"}


def by(**sections):
    def change(document, folder):
        document |= sections

    return change


KINDS = {
    "several states": plain,
    "barostat": at_constant_pressure,
    "segments": by(gradient=ADJOINT),
    "audited segments": by(gradient={"method": "adjoint", "steps": "auto", "every": 5, "modes": 4}),
    "friction": with_a_friction,
    "adam": by(update={"method": "adam", "iterations": 4}),
    "momentum": by(update={"method": "sgd", "momentum": 0.5, "precondition": False, "learning_rate": 0.01,
                           "iterations": 4}, gradient=ADJOINT),
    "iterative boltzmann": by(update={"method": "ibi", "iterations": 4}),
    "inverse monte carlo": by(update={"method": "imc", "iterations": 4}),
    "reweighting": by(update={"method": "adam", "iterations": 4}, gradient={"method": "reweighting"}),
    "network": by(potential={"form": "mlp", "cutoff": "2.4 nm", "hidden": [16, 16], "gaussians": 20}),
    "few parameters": by(
        potential={"form": "lj", "cutoff": "2.4 nm", "epsilon": "1 kJ/mol", "sigma": "1 nm"},
        update={"method": "adam", "iterations": 4},
    ),
    "adaptive": by(sampling={"timestep": "5 fs", "equilibration": 20, "steps": 200, "every": 5, "melt": 600}),
    "rolled back": by(),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_fit_has_the_same_bits(kind, tmp_path, monkeypatch):
    document = small_fits.document(tmp_path, update=FOUR)
    KINDS[kind](document, tmp_path)
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    if kind == "rolled back":  # the second iteration, whose g is far worse than that of the first
        monkeypatch.setattr("diffpair.fit.iterate.loop.WORSE", 0.0)
        monkeypatch.setattr("diffpair.fit.iterate.loop.CLEARLY", 0.0)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run_fit(load_config(tmp_path / "fit.yaml"), whole)
    last = 3 if kind == "adaptive" else 4  # samplings that grow leave fewer iterations
    for resume, at in ((False, "iteration 2/"), (True, f"iteration {last}/"), (True, "production")):
        with pytest.raises(KeyboardInterrupt):
            run_fit(load_config(tmp_path / "fit.yaml"), parts, resume, progress=Interrupted(at))
    run_fit(load_config(tmp_path / "fit.yaml"), parts, True)
    one, other = bits(whole), bits(parts)
    assert len(one["history"]) == 4 or kind == "adaptive", "it is resumed where there is something to do"
    assert differences(one, other) == []
    if kind == "rolled back":
        assert not all(entry["accepted"] for entry in one["history"])
    if kind == "several states":
        assert "bootstrap" in one["potential"]["fit"]["uncertainty"]["pairs"][0]
    if kind == "barostat":
        assert any("half of the smallest box" in note for note in one["summary"]["notes"])


def test_rows_that_were_left_out_stay_so(tmp_path):
    """Even where the box of the next sampling were larger again."""
    document = small_fits.document(tmp_path, update=FOUR)
    at_constant_pressure(document, tmp_path)
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    fits = [make_fit(load_config(tmp_path / "fit.yaml"), progress=False) for _ in range(2)]
    fits[0].step()
    fits[0].save(tmp_path / "out")
    fits[1]._session.begin(tmp_path / "out")
    seen = [fit._session.loop.states[0].rows.rdf for fit in fits]
    assert seen[1].half_box == seen[0].half_box < np.inf
    assert np.array_equal(seen[1].compared, seen[0].compared)
