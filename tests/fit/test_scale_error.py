"""A target whose normalisation is off: U is that of the true g where the config admits it, and a note says so else."""

from __future__ import annotations

import json

import numpy as np
import yaml

from diffpair.config import load_config, run_fit
from diffpair.tables import PairTable

LOW = 0.98


def fitted(make_config, target_file, folder, **keys):
    """summary.json and table of a fit to g times LOW."""
    columns = np.loadtxt(target_file, delimiter=",", skiprows=1)
    low = folder / "low.csv"
    np.savetxt(low, columns * [1, LOW], delimiter=",")
    config = make_config(production={"max_steps": 1000, "noise_target": 0.1})
    document = yaml.safe_load(config.text)
    document["states"][0]["targets"][0]["rdf"] |= {"file": str(low), **keys}
    path = folder / "low.yaml"
    path.write_text(yaml.safe_dump(document))
    summary = json.loads(run_fit(load_config(path), folder / "fit").read_text())
    return summary, PairTable.load(folder / "fit/potential.json")


def test_potential_is_that_of_the_corrected_g(make_config, target_file, tmp_path):
    summary, table = fitted(make_config, target_file, tmp_path, scale_error=0.03)
    r = np.linspace(0.98, 1.6, 60)
    away = table.energy(r) - 4 * (r**-12 - r**-6)
    assert np.std(away) < 0.15 and np.abs(away).mean() < 0.6
    (note,) = (note for note in summary["notes"] if "scale_error" in note)
    assert note.startswith("state liquid: g of A-A was found to be ") and "% too low as a whole" in note
    percent = float(note.split("found to be ")[1].split(" %")[0])
    assert abs(percent - 100 * (1 - LOW)) < 0.3
    assert not any("does not reproduce" in note for note in summary["notes"])


def test_without_it_a_note_names_the_factor(make_config, target_file, tmp_path):
    summary, table = fitted(make_config, target_file, tmp_path)
    (note,) = (note for note in summary["notes"] if "scale_error" in note)
    assert note.startswith("state liquid: g of A-A looks ") and "% too low as a whole" in note
    assert abs(float(note.split("looks ")[1].split(" %")[0]) - 100 * (1 - LOW)) < 0.5
    r = np.linspace(0.98, 1.6, 60)
    assert np.abs(table.energy(r) - 4 * (r**-12 - r**-6)).mean() > 1  # what U pays
