"""Tables for programs that are not here: read back as those programs read them, their forces are the spline's."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from lammps_frame import learned_like
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from diffpair.cli import cli

TABLE = learned_like(("A", "B b"))
NAMES = ("A_A", "A_B%20b", "B%20b_B%20b")


@pytest.fixture
def export(tmp_path, monkeypatch):
    TABLE.save(tmp_path / "p.json")
    monkeypatch.chdir(tmp_path)

    def run(kind, *more):
        result = CliRunner().invoke(cli, ["export", "p.json", "--format", kind, "--out", "x", *more])
        assert result.exit_code == 0, result.output
        return tmp_path / "x", result.output

    return run


def compare(force, pair, output):
    """Forces at distances that are no rows, as well as was told; and that the told error is a true one."""
    r = np.random.default_rng(2).uniform(TABLE.r_min + TABLE.spacing, TABLE.cutoff, 400000)
    expected = TABLE.force(r, *pair)
    error = np.abs(force(r) - expected) / np.maximum(np.abs(expected), np.median(np.abs(expected)))
    told = float(output.split("forces are off by ")[1].split()[0])
    assert error.max() < 1.5 * told and told <= 5e-6
    return error.max() / told


def test_csv(export):
    path, output = export("csv")
    lines = path.read_text().splitlines()
    header = lines[2].split(",")
    assert header == ["r", *(f"{what}_{name}" for name in NAMES for what in "UF")]
    columns = dict(zip(header, np.loadtxt(lines[3:], delimiter=",").T, strict=True))
    r = columns["r"]
    assert r[0] == 0 and r[-1] == TABLE.cutoff
    shares = []
    for pair, name in zip(TABLE.pairs, NAMES, strict=True):
        np.testing.assert_allclose(columns[f"U_{name}"], TABLE.energy(r, *pair), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(columns[f"F_{name}"], TABLE.force(r, *pair), rtol=1e-9, atol=1e-10)
        spline = CubicSpline(r, columns[f"U_{name}"], bc_type="natural")
        shares.append(compare(lambda x, spline=spline: -spline(x, 1), pair, output))
    assert max(shares) > 0.5


def test_gromacs(export):
    folder, output = export("gromacs")
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted(["table.xvg", *(f"table_{name}.xvg" for name in NAMES)])
    assert "energygrp-table = A A  A B%20b  B%20b B%20b" in output
    shares = []
    for pair, name in zip(TABLE.pairs, NAMES, strict=True):
        r, f, minus_f, g, minus_g, h, minus_h = np.loadtxt(folder / f"table_{name}.xvg").T
        assert r[0] == 0 and r[-1] == pytest.approx(TABLE.cutoff + 1, abs=2 * r[1])
        np.testing.assert_allclose(np.diff(r), r[1], rtol=1e-9)
        np.testing.assert_allclose(f[r > 0.04] * r[r > 0.04], 1, rtol=1e-13)
        np.testing.assert_allclose(minus_f, f**2, rtol=1e-13)
        assert not np.any(g) and not np.any(minus_g) and not np.any(h[r > TABLE.cutoff])
        spline = CubicHermiteSpline(r, h, -minus_h)
        shares.append(compare(lambda x, spline=spline: -spline(x, 1), pair, output))
    assert max(shares) > 0.5
    assert not np.any(np.loadtxt(folder / "table.xvg")[:, 3:])


def test_hoomd(export):
    path, output = export("hoomd")
    with np.load(path, allow_pickle=False) as data:
        assert data["r_min"] == 0 and data["r_cut"] == TABLE.cutoff
        shares = []
        for pair, name in zip(TABLE.pairs, NAMES, strict=True):
            force = data[f"F_{name}"]
            r = TABLE.cutoff / len(force) * np.arange(len(force))
            np.testing.assert_allclose(data[f"U_{name}"], TABLE.energy(r, *pair), rtol=1e-9, atol=1e-12)

            def linear(x, force=force):
                """As hoomd.md.pair.Table finds it: the row below, the row above, and 0 at the cutoff."""
                place = x / TABLE.cutoff * len(force)
                below = place.astype(int)
                return force[below] + (place - below) * (np.append(force, 0)[below + 1] - force[below])

            shares.append(compare(linear, pair, output))
    assert max(shares) > 0.5
    assert f'pair.params[("A", "B b")] = dict(r_min=0.0, U=data["U_{NAMES[1]}"], F=data["F_{NAMES[1]}"])' in output


def test_rows_as_asked_for(export):
    path, output = export("csv", "--points", "300")
    assert len(path.read_text().splitlines()) == 303
    assert float(output.split("forces are off by ")[1].split()[0]) > 1e-4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["openmm", "--points", "300"], "--points is for the formats lammps, gromacs, hoomd, csv, not for openmm"),
        (["csv", "--units", "real"], "--units is for the formats lammps, uf3, not for csv"),
        (["lammps", "--units", "si"], "the unit style must be real, metal, nano or lj, not 'si'"),
        (["lammps", "--units", "lj"], "units lj have no size of their own"),
        (
            ["uf3", "--units", "metal", "--sigma", "0.3 nm"],
            "--sigma and --epsilon are for units lj, not",
        ),
        (["uf3", "--units", "lj", "--sigma", "0.3 nm", "--epsilon", "1 nm"], "--epsilon: "),
        (["uf3", "--units", "lj", "--sigma", "-3 nm", "--epsilon", "1 eV"], "--sigma must be positive"),
    ],
)
def test_refusals(tmp_path, arguments, sentence):
    TABLE.save(tmp_path / "p.json")
    command = ["export", str(tmp_path / "p.json"), "--out", str(tmp_path / "x"), "--format", *arguments]
    error = CliRunner().invoke(cli, command).exception
    assert sentence in str(error) and "\n" not in str(error)


def test_uf3_with_too_many_knots(tmp_path):
    """LAMMPS would wait for ever: its reader takes no line of more than 1,023 characters."""
    nodes = np.linspace(0.25, 0.85, 400)
    sixth = (0.33 / nodes) ** 6
    from diffpair import PairTable

    coefficients = np.zeros((1, 402))
    coefficients[0, :397] = (4 * (sixth**2 - sixth))[:397]
    PairTable(("A",), 0.25, 0.85, coefficients).save(tmp_path / "p.json")
    command = ["export", str(tmp_path / "p.json"), "--out", str(tmp_path / "x"), "--format", "uf3"]
    error = CliRunner().invoke(cli, command).exception
    assert "--format lammps has no such limit" in str(error) and "\n" not in str(error)
