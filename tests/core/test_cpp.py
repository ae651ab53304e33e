"""The core's C++ tests, tests/cpp, which an editable build compiles: on each instruction set."""

from __future__ import annotations

import os
import subprocess

import pytest

from diffpair._libraries import LIBRARY_FOLDER


def run(name: str, isa: str) -> subprocess.CompletedProcess[str]:
    program = LIBRARY_FOLDER / "tests" / f"diffpair_test_{name}"
    if not program.is_file():
        pytest.skip("this build of the package has no C++ tests (DIFFPAIR_BUILD_TESTS)")
    return subprocess.run([str(program)], env=os.environ | {"DIFFPAIR_ISA": isa}, capture_output=True, text=True)


@pytest.mark.parametrize("isa", ["portable", "x86-64-v3", "x86-64-v4"])
@pytest.mark.parametrize(
    "name", ["PairLoops", "PairList", "NeighborList", "BondedTerms", "Segment", "PairHistogram", "LammpsRows"]
)
def test_program(name, isa):
    done = run(name, isa)
    if done.returncode == 77:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stdout) == (0, "all right\n"), done.stderr


def test_unknown_instruction_set():
    """Not the portable loops in silence, whose figures one would then take for those of another set."""
    done = run("Segment", "avx2")
    assert done.returncode == 1
    assert "DIFFPAIR_ISA is 'avx2', but its values are portable, x86-64-v3 and x86-64-v4" in done.stderr
