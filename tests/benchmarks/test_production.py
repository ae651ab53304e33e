"""The production benchmark runs through, on small systems, and reports every bar it has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks/production.py"
sys.path.append(str(ROOT / "benchmarks"))

from bars import at_least, at_most, missing, unjudged  # noqa: E402
from interleaved import Contender, Rounds, measure  # noqa: E402
from rich.progress import Progress  # noqa: E402


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)


def test_quick_run_of_every_case(tmp_path: Path) -> None:
    done = run("--quick", "--json", str(tmp_path / "bars.json"))
    assert done.returncode == 0, done.stderr
    bars = json.loads((tmp_path / "bars.json").read_text())
    assert len(bars) == 3 * 2 + 9 + 5 + 2 + 3
    for bar in bars:
        assert list(bar) == ["case", "figure", "unit", "bar", "holds"]
        told = bar["bar"] is None or bar["case"].endswith(")")
        assert bar["holds"] is None and told, "a quick run judges nothing and says so"
        assert bar["figure"] is None or isinstance(bar["figure"], float)
    words = " ".join(bar["case"] for bar in bars)
    for word in (
        "2048",
        "16384",
        "70304",
        "LAMMPS",
        "pair_style diffpair at 16384 atoms on 2 MPI ranks against lj/cut",
        "four types",
        "per atom",
        "250000",
        "histogram",
        "updateParametersInContext",
        "from_simulation",
        "tabulated dihedrals",
    ):
        assert word in words
    for word in ("pair loop", "list rebuild", "LangevinMiddle", "Custom tabulated"):
        assert word in done.stdout


@pytest.mark.parametrize(("option", "value"), [("--cases", "speeed"), ("--atoms", "2047")])
def test_unknown_choices_are_refused(option: str, value: str) -> None:
    done = run(option, value)
    assert done.returncode == 2 and value in done.stderr and "Traceback" not in done.stderr


def test_bars_judge() -> None:
    assert [at_least("a", 2.0, 2.0).holds, at_least("a", 1.9, 2.0).holds] == [True, False]
    assert [at_most("a", 5.0, 5.0, "ms").holds, at_most("a", 5.1, 5.0, "ms").holds] == [True, False]
    lacking = missing("a", 1.0, "x", "needs a GPU")
    assert (lacking.figure, lacking.holds) == (None, None) and "needs a GPU" in lacking.case
    quick = unjudged([at_least("a", 2.0, 1.0), lacking], "quick run")
    assert [bar.holds for bar in quick] == [None, None] and quick[1] == lacking


def test_ratios_compare_within_a_round() -> None:
    """A machine that is ten times slower in one round changes no ratio."""
    rounds = Rounds({"a": [1.0, 10.0, 1.2], "b": [0.5, 5.0, 0.6], "none": [0.2, 2.0, 0.24]})
    assert rounds.ratio("a", "b") == 2.0
    assert rounds.excess_ratio("a", "b", "none") == pytest.approx(0.8 / 0.3)
    assert rounds.median("a") == 1.2


def test_contenders_take_turns() -> None:
    calls: list[tuple[str, int]] = []

    def block(name: str):
        return lambda steps: calls.append((name, steps)) or 0.01

    contenders = [Contender("a", block("a")), Contender("b", block("b"), fixed_steps=7)]
    rounds = measure(contenders, 3, 1.0, Progress(disable=True), "")
    assert calls[:2] == [("a", 10), ("a", 10)], "warmed up and calibrated"
    assert calls[2:] == [("a", 100), ("b", 7), ("b", 7), ("a", 100), ("a", 100), ("b", 7)]
    assert rounds.seconds == {"a": [0.01] * 3, "b": [0.01] * 3}
