"""The benchmark of threads and cores runs through."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks/cores.py"


def test_quick_run(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--quick", "--json", str(tmp_path / "bars.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bars = json.loads((tmp_path / "bars.json").read_text())
    assert [bar["unit"] for bar in bars] == ["us"] * 3 + ["x"] * 2
    assert all(bar["figure"] > 0 and bar["holds"] is None and "108" in bar["case"] for bar in bars)
