"""diffpair audit: what it prints, plots and writes, and what it refuses."""

import json

import numpy as np
import pytest
from command_line import run

CONFIG = """\
potential: {form: bspline, cutoff: 2 nm, knots: 40}
states:
  - name: liquid
    system: {lattice: {n: 108, density: 0.8 nm^-3, types: {A: 1.0}, mass: 1 amu}}
    temperature: 120.27 K
    targets: [rdf: {pair: [A, A], file: rdf.csv}]
sampling: {timestep: 5 fs, equilibration: 100, melt: 300, steps: 400, every: 10}
gradient: {method: adjoint, every: 10, integrator: nose-hoover, collision_frequency: 2 /ps}
"""


@pytest.fixture
def config(tmp_path):
    r = 0.9 + 0.05 * np.arange(30)
    g = 1 / (1 + np.exp(-(r - 1) / 0.02)) + 1.5 * np.exp(-(((r - 1.08) / 0.08) ** 2))
    (tmp_path / "rdf.csv").write_text("\n".join(f"{x:.3f} {y:.5f}" for x, y in zip(r, g, strict=True)))
    (tmp_path / "fit.yaml").write_text(CONFIG)
    return tmp_path / "fit.yaml"


def test_audit(capsys, config, tmp_path):
    out = tmp_path / "made" / "audit"
    options = ("--steps", "40,10", "--segments", "4", "--frames", "120")
    status, text, err = run(capsys, "audit", config, "--out", out, *options)
    assert status == 0 and not err
    assert "state liquid" in text and "cosine" in text and "norm ratio" in text and "growth" in text
    assert "equilibrium gradient of 120 frames" in text
    document = json.loads((out / "audit.json").read_text())
    (state,) = document["states"]
    assert [entry["steps"] for entry in state["lengths"]] == [10, 40]
    for entry in state["lengths"]:
        assert -1 <= entry["cosine"] <= 1 and entry["ratio"] > 0 and entry["noise"] > 0 and entry["segments"] == 4
    assert state["lengths"][0]["ratio"] < state["lengths"][1]["ratio"]  # more of the response has relaxed
    chosen = document["recommended"]
    assert f"recommended for state liquid: {chosen['segments']} segments of {chosen['steps']} steps" in text
    bath = {"integrator": "nose-hoover", "collision_frequency": 2.0, "chain_length": 5}
    assert chosen.items() > bath.items()
    numbers = f"segments: {chosen['segments']}, steps: {chosen['steps']}, every: 10"
    options = "integrator: nose-hoover, collision_frequency: 2 ps^-1, chain_length: 5"
    assert f"{{method: adjoint, {numbers}, {options}}}" in " ".join(text.split())
    assert (out / "audit.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--steps", "10,many"), "--steps: must be whole numbers of 1 or more such as 10,25,50, not '10,many'"),
        (("--steps", "0"), "--steps: must be whole numbers of 1 or more"),
        (("--steps", "15"), "positive numbers and steps a multiple of every, not segments = 1, steps = 15, every = 10"),
        (("--out", "FILE"), "fit.yaml: is a file, but --out needs a folder"),
    ],
)
def test_refusals(capsys, config, tmp_path, options, sentence):
    options = [str(config) if option == "FILE" else option for option in options]
    if "--out" not in options:
        options += ["--out", str(tmp_path / "out")]
    status, _, err = run(capsys, "audit", config, *options)
    assert status == 2
    assert err.startswith("diffpair: ") and sentence in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()
