"""The gradient benchmark runs through, on small systems, and differentiates what JAX MD differentiates."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks/gradient.py"
sys.path.append(str(ROOT / "benchmarks"))

import jax_peer  # noqa: E402
from gradient import main as gradient_main  # noqa: E402
from rdf_loss import INTEGRATORS, RdfLoss, liquid  # noqa: E402


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)


def test_quick_run_of_every_case_but_the_peer(tmp_path: Path) -> None:
    cases = "network,scaling,memory,long,sampling,replicas,bonded"
    done = run("--quick", "--cases", cases, "--json", str(tmp_path / "bars.json"))
    assert done.returncode == 0, done.stderr
    bars = json.loads((tmp_path / "bars.json").read_text())
    assert len(bars) == 2 + 2 + 1 + 2 + 2 + 3 + 2
    for bar in bars:
        assert list(bar) == ["case", "figure", "unit", "bar", "holds"]
        assert bar["holds"] is None and "quick run" in bar["case"]
        # a difference of two figures is either sign where something else keeps the processors busy
        either = any(words in bar["case"] for words in ("more than", "instead of", "memory that"))
        assert bar["figure"] > 0 or (either and abs(bar["figure"]) < float("inf"))
    evaluations = next(bar for bar in bars if "force evaluations" in bar["case"])
    assert evaluations["figure"] == 2 * 4  # of four replicas, forward and back
    words = " ".join(bar["case"] for bar in bars)
    for word in ("864", "16384", "110592", "1000 steps", "64 replicas", "processors", "neural", "100000 atoms"):
        assert word in words


def test_unknown_integrator_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gradient_main(["--integrator", "euler"])
    assert "euler" in capsys.readouterr().err


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_gradient_against_finite_differences(integrator: str) -> None:
    """Along the gradient itself, in double precision: one number checks all knots."""
    loss = RdfLoss(liquid((4, 4, 4), 2, 100), integrator, steps=10, dtype=torch.float64)
    coefficients, gradient = loss.coefficients(), torch.from_numpy(loss.gradient()[1])
    direction = gradient / gradient.norm()
    up, down = (loss(coefficients + sign * 1e-5 * direction).item() for sign in (1, -1))
    assert (up - down) / 2e-5 == pytest.approx(gradient.norm().item(), rel=1e-6)


@pytest.mark.skipif(not jax_peer.available(), reason="JAX MD is missing: make peers")
@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_jax_md_gives_the_same_gradient(integrator: str) -> None:
    loss = RdfLoss(liquid((4, 4, 4), 2, 100), integrator, steps=20)
    value, gradient = loss.gradient()
    with jax_peer.JaxPeer(loss, threads=2) as peer:
        assert peer.value == pytest.approx(value, rel=1e-4)
        assert np.linalg.norm(peer.gradient - gradient) < 1e-3 * np.linalg.norm(gradient)
        (timing,) = peer.timings(1)
    assert 0 < timing.forward < timing.total
