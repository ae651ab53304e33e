"""diffpair export: the files, and what it says of them."""

import dataclasses

import numpy as np
import openmm
from command_line import bonded_potential, run

from diffpair import PairTable, PairTableForce


def test_exports_say_what_they_leave_out(capsys, folder):
    table = bonded_potential(folder)
    for kind, told in (("openmm", True), ("openmm-custom", True), ("lammps", False), ("potential", False)):
        status, out, _ = run(capsys, "export", folder / "bonded.json", "--format", kind, "--out", folder / "x")
        assert status == 0 and ("left out: bond A-B, angle A-B-A, dihedral A-B-A-B (" in out) == told
    assert PairTable.load(folder / "x") == table


def test_export_to_openmm(capsys, folder):
    status, out, _ = run(capsys, "export", folder / "p.json", "--format", "openmm", "--out", folder / "p.xml")
    assert status == 0 and "p.xml: openmm form of" in out
    force = PairTableForce.cast(openmm.XmlSerializer.deserialize((folder / "p.xml").read_text()))
    table = PairTable.load(folder / "p.json")
    assert (force.getNumTypes(), force.getNumKnots()) == (2, 60)
    assert force.getTable().coefficients.tobytes() == table.coefficients.tobytes()


def test_export_to_lammps(capsys, folder):
    status, _, _ = run(
        capsys, "export", folder / "p.json", "--format", "lammps", "--points", "500", "--out", folder / "t"
    )
    assert status == 0
    table = PairTable.load(folder / "p.json")
    lines = (folder / "t").read_text().splitlines()
    assert lines[0] == "# UNITS: real" and "# pair_coeff 1 2 t A_B 25" in lines
    for a, b in table.pairs:
        start = lines.index(f"{a}_{b}")
        assert lines[start + 1] == "N 500 RSQ 0.5 25" and lines[start + 2] == ""
        rows = np.array([line.split() for line in lines[start + 3 : start + 503]], dtype=float)
        np.testing.assert_array_equal(rows[:, 0], np.arange(1, 501))
        r = rows[:, 1] / 10
        np.testing.assert_allclose(rows[:, 2] * 4.184, table.energy(r, a, b), atol=1e-8)
        np.testing.assert_allclose(rows[:, 3] * 41.84, table.force(r, a, b), atol=1e-7)


def test_export_at_another_temperature(capsys, folder):
    table = PairTable.load(folder / "p.json")
    with_entropy = dataclasses.replace(
        table, global_parameters={"temperature": 300.0}, entropy=1e-3 * table.coefficients
    )
    with_entropy.save(folder / "t.json")
    arguments = ("export", folder / "t.json", "--format", "potential", "--out", folder / "hot.json", "--temperature")
    assert run(capsys, *arguments, "400 K")[0] == 0
    hot = PairTable.load(folder / "hot.json")
    np.testing.assert_allclose(hot.coefficients, 0.9 * table.coefficients, atol=1e-12)
    assert hot.global_parameters == {"temperature": 400.0}
    for wrong, message in (("400", "needs a unit"), ("-3 K", "must be positive")):
        status, _, error = run(capsys, *arguments, wrong)
        assert status == 2 and f"--temperature of {folder / 't.json'}" in error and message in error
    status, _, error = run(capsys, "export", folder / "p.json", *arguments[2:], "400 K")
    assert status == 2 and "does not depend on temperature" in error
