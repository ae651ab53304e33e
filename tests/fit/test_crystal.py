"""A crystal near melting, from its start to production."""

from __future__ import annotations

import json

import numpy as np

from diffpair.config import run_fit

DENSITY, T_STAR = 1.0, 1.2 * 120.27
EDGES = np.linspace(0.75, 3.15, 101)  # half of the box


def test_a_crystal_near_melting_is_fitted(lennard_jones_rdf, make_config, tmp_path, out):
    """Its start has about the right g. Melted, or held by wells of an inverted g, it would be 0.4 or 0.8 off."""
    g = lennard_jones_rdf(20000, 20, DENSITY, T_STAR, hot=1.0, edges=EDGES)
    file = tmp_path / "crystal.csv"
    np.savetxt(file, np.column_stack([0.5 * (EDGES[1:] + EDGES[:-1]), g]), delimiter=",")
    state = {
        "name": "crystal",
        "system": {"lattice": {"n": 256, "density": "1 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}},
        "temperature": f"{T_STAR} K",
        "targets": [{"rdf": {"pair": ["A", "A"], "file": str(file), "r_unit": "nm"}}],
    }
    sampling = {"timestep": "5 fs", "equilibration": 300, "steps": 4000, "every": 20, "melt": 0}
    production = {"max_steps": 24000, "noise_target": 0.002}
    path = run_fit(make_config(states=[state], sampling=sampling, production=production), out)
    history, summary = json.loads((out / "history.json").read_text()), json.loads(path.read_text())
    (target,) = summary["states"][0]["targets"]
    assert history[0]["mae"] < 0.07 and target["mae"] < 0.008
    assert not any("drifts" in note or "not reproduce" in note for note in summary["notes"])
