"""No pair is missed or counted twice, in whatever box and however the atoms lie: against brute force."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("isa", ["portable", "x86-64-v3", "x86-64-v4"])
def test_spline_sums_equal_brute_force(isa):
    """A sum that lacked one pair would deviate by 1 / pairs or so, 3e-5 for the largest system."""
    program = Path(__file__).with_name("random_systems.py")
    environment = os.environ | {"DIFFPAIR_ISA": isa}
    done = subprocess.run([sys.executable, str(program), "60"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    deviations = json.loads(done.stdout)
    assert max(d["torch.float64"] for d in deviations) < 1e-9
    assert max(d["torch.float32"] for d in deviations) < 3e-6
