"""The benchmark of killed fits runs through."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks/kills.py"


def test_a_few_kills(tmp_path):
    command = [sys.executable, str(SCRIPT), "--quick", "--kills", "3", "--json", str(tmp_path / "bars.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bars = {bar["case"]: bar for bar in json.loads((tmp_path / "bars.json").read_text())}
    assert bars["results that differ from the undisturbed fit's, at most"]["holds"]
    assert bars["iterations that one kill has cost, at most"]["holds"] and bars["kills"]["figure"] == 3
