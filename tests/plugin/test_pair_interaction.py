"""What GPUs do with one pair, compiled for the processor and called as OpenMM's loops do, that over single pairs too.

PoCL has no such list, so this is where it is tested without a GPU.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HEADER = Path(__file__).resolve().parents[2] / "plugin/common/PairInteraction.h"

# Two types, two pieces each below the cutoff: U = 10 row + 1 + 2 t, dU/d(parameter) = 100 row + 5 + 3 t. Particle 3
# only fills up the block; it lies at the origin and its type is 0, as OpenMM leaves it.
PROGRAM = """
#include <cmath>
#include <cstdio>
using real = double;
struct real4 { real x, y, z, w; };
using mm_ulong = unsigned long long;
#define ATOMIC_ADD(target, value) (*(target) += (value))
constexpr int NUM_ATOMS = 3;
int main() {
    real4 table[16], slopes[16];
    for (int i = 0; i < 16; i++) {
        table[i] = {10.0 * (i / 4) + 1, 2, 0, 0};
        slopes[i] = {100.0 * (i / 4) + 5, 3, 0, 0};
    }
    const int types[4] = {0, 1, 1, 0};
    const real positions[4] = {0.0, 0.35, 0.1, 0.0};
    mm_ulong closePairs[1] = {0}, *close = closePairs;
    for (int atom1 = 0; atom1 < 4; atom1++)
        for (int atom2 = 0; atom2 < 4; atom2++) {
            const bool isExcluded = EXCLUDED;
            const real interactionScale = SCALE;
            const int type1 = types[atom1], type2 = types[atom2];
            const real r2 = std::pow(positions[atom2] - positions[atom1], 2), invR = 1 / std::sqrt(r2);
            real tempEnergy = 0, dEdR = 0, sum = 0;
            (void) isExcluded;
            SNIPPET
            std::printf("%.17g %.17g %.17g\\n", tempEnergy, dEdR, sum);
        }
    std::printf("%llu\\n", closePairs[0]);
}
"""


def constants() -> dict[str, str]:
    """The strings of the header, by name."""
    text = HEADER.read_text()
    raw = dict(re.findall(r'char\* (\w+) = R"\((.*?)\)";', text, re.DOTALL))
    return raw | dict(re.findall(r'char\* (\w+) = "([^"]*)";', text))


def run(tmp_path: Path, skip: str, excluded: str, scale: str) -> tuple[list[list[float]], int]:
    """Energy, dEdR, derivative of every pair, and the count of close pairs; r_min 0.2, h 0.1, cutoff 0.4."""
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    texts = constants()
    snippet = texts["pairInteraction"]
    for name, value in {
        "DERIVATIVES": texts["derivativeInteraction"],
        "DERIVATIVE_TABLE": "slopes",
        "SUM": "sum",
        "SKIP": texts[skip],
        "ROW": "(type1*2+type2)*4",
        "TABLE": "table",
        "NUM_CLOSE": "close",
        "R_MIN": "0.2",
        "INVERSE_SPACING": "10.0",
        "TABLE_CUTOFF_SQUARED": "0.16",
    }.items():
        snippet = re.sub(rf"\b{name}\b", value, snippet)
    source = PROGRAM.replace("SNIPPET", snippet).replace("EXCLUDED", excluded).replace("SCALE", scale)
    (tmp_path / "pair.cpp").write_text(source)
    subprocess.run(["g++", "-std=c++17", str(tmp_path / "pair.cpp"), "-o", str(tmp_path / "pair")], check=True)
    *pairs, close = subprocess.run(
        [str(tmp_path / "pair")], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [[float(word) for word in pair.split()] for pair in pairs], int(close)


def expected(scale: float) -> list[list[float]]:
    """By hand, for real particles 0, 1, 2 at 0, 0.35 and 0.1 nm; nothing for the one that only fills up the block."""
    rows = [[0.0] * 3 for _ in range(16)]
    for a, b, row, s in (
        (0, 1, 1, 1.5),
        (1, 0, 2, 1.5),
        (0, 2, 1, -1.0),
        (2, 0, 2, -1.0),
        (1, 2, 3, 0.5),
        (2, 1, 3, 0.5),
    ):
        t = s if s < 0 else s % 1
        distance = 0.2 + 0.1 * s
        rows[4 * a + b] = [10 * row + 1 + 2 * t, -2 * 10 / distance, scale * (100 * row + 5 + 3 * t)]
    return rows


@pytest.mark.parametrize("skip", ["skipSelf", "skipExcluded"])
def test_list_of_single_pairs(tmp_path, skip):
    """There isExcluded is false whatever the particles are, those included that only fill up the block."""
    excluded = "false" if skip == "skipSelf" else "atom1 == atom2"  # the list holds no particle with itself
    pairs, close = run(tmp_path, skip, excluded, "1.0")
    for found, right in zip(pairs, expected(1.0), strict=True):
        assert found == pytest.approx(right, rel=1e-12, abs=1e-12)
    assert close == 4  # a pair counts twice, here from both sides


def test_tiles(tmp_path):
    """On the diagonal every pair is met from both sides and counts half; excluded pairs are left out."""
    pairs, close = run(tmp_path, "skipExcluded", "atom1 == atom2 || atom1 + atom2 == 1", "0.5")
    rows = expected(0.5)
    rows[1] = rows[4] = [0.0] * 3
    for found, right in zip(pairs, rows, strict=True):
        assert found == pytest.approx(right, rel=1e-12, abs=1e-12)
    assert close == 2
