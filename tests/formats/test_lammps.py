"""The exported table in LAMMPS: with the commands that are printed, every pair has its own potential."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from click.testing import CliRunner
from lammps_run import pair_energies

from diffpair import PairTable
from diffpair.cli import cli
from diffpair.errors import DiffPairError
from diffpair.formats.lammps import lammps_commands, lammps_table
from diffpair.formats.names import section_name

R_MIN, CUTOFF = 0.25, 0.85
COLLIDING = ("A", "A_B", "B_C", "C")  # A and B_C, A_B and C: both A_B_C
AWKWARD = ("water bead", "#1", "Na+", 'O"', "%20", "é_\n", "$x&", "~*")


def table_of(types):
    """Lennard-Jones potentials of which no two are alike; coefficients are near the values."""
    pairs = len(types) * (len(types) + 1) // 2
    nodes = R_MIN + (np.arange(62) - 1) * (CUTOFF - R_MIN) / 59
    sigma = 0.28 + 0.08 * np.arange(pairs)[:, None] / pairs
    coefficients = 2 * ((sigma / nodes) ** 12 - (sigma / nodes) ** 6)
    coefficients[:, -3:] = 0
    return PairTable(types, R_MIN, CUTOFF, coefficients)


@pytest.mark.skipif(importlib.util.find_spec("lammps") is None, reason="LAMMPS is missing: pip install lammps mpich")
@pytest.mark.parametrize(
    ("types", "name"), [(COLLIDING, "potential.table"), (AWKWARD, "of $x & #2's.table")], ids=["colliding", "awkward"]
)
def test_every_pair_has_its_own_potential_in_lammps(tmp_path, monkeypatch, types, name):
    table = table_of(types)
    table.save(tmp_path / "p.json")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["export", "p.json", "--format", "lammps", "--out", name])
    assert result.exit_code == 0, result.output
    printed = result.output.split("in LAMMPS:\n")[1].splitlines()
    head = [line[2:] for line in (tmp_path / name).read_text().splitlines() if line.startswith("# pair_")]
    assert printed == head and len(printed) == 1 + len(table.pairs)
    r = np.array([0.2, 0.27, 0.31, 0.36, 0.45, 0.62, 0.84])
    numbers = [(types.index(a) + 1, types.index(b) + 1) for a, b in table.pairs]
    energy, force = pair_energies(printed, numbers, r, tmp_path)
    expected = np.array([table.energy(r, a, b) for a, b in table.pairs])
    assert np.ptp(expected, axis=0).min() > 1e-4  # a pair that had another's would be seen
    np.testing.assert_allclose(energy, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(force, [table.force(r, a, b) for a, b in table.pairs], rtol=3e-5, atol=1e-4)


def test_section_names():
    names = {section_name(a, b) for types in (COLLIDING, AWKWARD) for a, b in table_of(types).pairs}
    assert len(names) == 10 + 36
    assert all(name.isascii() and name.isprintable() and not set(name) & set(" #$&\"'") for name in names)
    assert section_name("O", "Na+") == "O_Na%2B" and section_name("CG-1", "A.x") == "CG-1_A.x"


def test_head_of_the_file_names_the_types():
    lines = lammps_table(table_of(("A", "two\nlines"))).splitlines()
    assert lines[:2] == ["# UNITS: real", '# types: 1 is "A", 2 is "two\\nlines"']
    assert lines[2:4] == ["# spline: r_min 0.25 nm, cutoff 0.85 nm, knots 60", "# pair_style table spline 2000"]
    assert lines[5] == "# pair_coeff 1 2 FILE A_two%0Alines 8.5"


@pytest.mark.parametrize("name", ['\'"""\'', "two\nlines"])
def test_file_name_that_no_quotes_can_hold(name):
    with pytest.raises(DiffPairError, match="a LAMMPS command cannot hold this file name"):
        lammps_commands(table_of(("A",)), name)
