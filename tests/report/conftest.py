"""The folder of a short fit, with a name in it that is dangerous in a page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from pages import EVIL

from diffpair.config import load_config, run_fit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A liquid with g(r) and a pressure as targets, and a held-out state. Not to be changed."""
    folder = tmp_path_factory.mktemp("report")
    shutil.copy(ROOT / "examples/lennard_jones/rdf.csv", folder / "rdf.csv")
    rdf = {"rdf": {"pair": ["A", "A"], "file": "rdf.csv", "r_unit": "nm", "range": ["0.75 nm", "3.3 nm"]}}
    lattice = {"n": 256, "density": "0.845 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}
    state = {"system": {"lattice": lattice}, "temperature": "120.27 K"}
    document = {
        "potential": {"form": "bspline", "cutoff": "2.5 nm", "knots": 40},
        "states": [
            {"name": "liquid", **state, "targets": [rdf, {"pressure": {"value": "60 bar", "error": "5 bar"}}]},
            {"name": EVIL, **state, "held_out": True, "targets": [rdf]},
        ],
        "sampling": {"timestep": "5 fs", "equilibration": 100, "steps": 600, "every": 10, "melt": 400},
        "production": {"max_steps": 1200, "noise_target": 0.01},
        "update": {"method": "gauss-newton", "iterations": 2},
    }
    (folder / "fit.yaml").write_text(yaml.safe_dump(document))
    run_fit(load_config(folder / "fit.yaml"), folder / "out")
    return folder / "out"


@pytest.fixture
def copy(finished, tmp_path):
    """The same, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


@pytest.fixture
def edit():
    """edit(file, change): a JSON file after change(document)."""

    def edited(path, change):
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return edited
