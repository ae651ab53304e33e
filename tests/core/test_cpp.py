"""The core's C++ tests, tests/cpp, which an editable build compiles: on each instruction set."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from diffpair._libraries import LIBRARY_FOLDER


@pytest.mark.parametrize("isa", ["portable", "x86-64-v3", "x86-64-v4"])
@pytest.mark.parametrize("name", ["PairLoops", "NeighborList", "Segment"])
def test_program(name, isa):
    program = LIBRARY_FOLDER / "tests" / f"diffpair_test_{name}"
    if not program.is_file():
        pytest.skip("this build of the package has no C++ tests (DIFFPAIR_BUILD_TESTS)")
    done = subprocess.run([str(program)], env=os.environ | {"DIFFPAIR_ISA": isa}, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stdout) == (0, "all right\n"), done.stderr


def test_unknown_instruction_set():
    """Not the portable loops in silence, whose figures one would then take for those of another set."""
    environment = os.environ | {"DIFFPAIR_ISA": "avx2"}
    program = "import torch, diffpair.ops; torch.ops.diffpair.neighbor_pairs("
    program += "torch.zeros(2, 3), torch.zeros(3, 3).double(), torch.zeros((0, 2), dtype=torch.int32), 1.0)"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert "DIFFPAIR_ISA is 'avx2', but its values are portable, x86-64-v3 and x86-64-v4" in done.stderr
