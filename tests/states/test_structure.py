"""Structure files: what the readers of OpenMM and MDTraj would take in otherwise than it stands there."""

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.states import build_from_files
from diffpair.states.structure import read_structure
from diffpair.trajectories.files import load_topology


def gro(path, names, *, digits=3, residues=None, velocities=False, box="3.0 3.0 3.0", numbers=None):
    """Atoms 0.25 nm apart along x."""
    width = digits + 5
    lines = ["beads", f"{len(names):5d}"]
    for k, name in enumerate(names):
        residue = (residues or names)[k]
        row = f"{k + 1:5d}{residue:<5s}{name:>5s}{(numbers or range(1, 99))[k]:5d}"
        row += "".join(f"{value:{width}.{digits}f}" for value in (0.25 * k - 0.5, 0.5, 0.5))
        lines.append(
            row + ("".join(f"{value:{width}.{digits + 1}f}" for value in (9.0, 9.0, 9.0)) if velocities else "")
        )
    path.write_text("\n".join([*lines, box, ""]))
    return path


def pdb(path, rows, *, extra=(), cell=30.0):
    """rows: atom name, residue, residue's number, element."""
    lines = [f"CRYST1{cell:9.3f}{cell:9.3f}{cell:9.3f}  90.00  90.00  90.00 P 1           1"]
    for k, (name, residue, number, element) in enumerate(rows):
        lines.append(
            f"HETATM{k % 4 + 1:5d} {name:<4s} {residue:>3s} A{number:4d}    {2.5 * k:8.3f}{5:8.3f}{5:8.3f}"
            f"  1.00  0.00          {element:>2s}"
        )
    path.write_text("\n".join([*lines, *extra, "END", ""]))
    return path


@pytest.mark.parametrize(
    "options",
    [{}, {"digits": 5}, {"velocities": True}, {"digits": 4, "velocities": True}, {"numbers": [99999, 0, 1]}],
    ids=str,
)
def test_gro_with_names_of_one_letter(tmp_path, options):
    path = gro(tmp_path / "w.gro", ["W", "W", "C1"], **options)
    state = build_from_files("w", path, temperature=300, masses={"W": 72.0, "C1": 45.0})
    assert state.type_names == ("W", "C1") and state.masses.tolist() == [72.0, 72.0, 45.0]
    np.testing.assert_allclose(state.positions[:, 0], [-0.5, -0.25, 0.0])
    np.testing.assert_allclose(state.positions[:, 1:], 0.5)
    np.testing.assert_allclose(state.box, 3 * np.eye(3))


def test_triclinic_gro_is_reduced(tmp_path):
    path = gro(tmp_path / "t.gro", ["W"], box="3.0 2.5 2.0 0 0 2.0 0 1.0 -2.0")
    box = read_structure(path).box
    np.testing.assert_allclose(box, [[3, 0, 0], [-1, 2.5, 0], [0, 0.5, 2]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [*lines[:1], "two", *lines[2:]], "line 2: a .gro file has its number of atoms here"),
        (lambda lines: lines[:3], "should hold 2 atoms and a box, but ends after line 3"),
        (lambda lines: [*lines[:3], "a line", *lines[4:]], "line 4: 'a line' is not an atom"),
        (lambda lines: [*lines[:4], "3.0 3.0"], "line 5: '3.0 3.0' is not the box"),
        (lambda lines: [*lines[:4], "0 0 0"], "it gives no periodic box"),
    ],
)
def test_broken_gro(tmp_path, change, message):
    path = gro(tmp_path / "w.gro", ["W", "W"])
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(DiffPairError) as refusal:
        build_from_files("w", path, masses=72.0)
    assert str(refusal.value).startswith(str(path)) and message in str(refusal.value)


@pytest.mark.parametrize(
    "rows",
    [
        [("CG", "LIP", 1, "")],  # carbon's mass
        [("W", "W", 1, "")],  # tungsten's
        [("NA", "ION", 1, "")],  # sodium's
        [("CA", "ALA", 1, ""), ("CA", "ALA", 2, "")],  # a bead per amino acid
        [("O", "HOH", 1, "")],  # a bead of water
    ],
)
def test_masses_of_beads_are_not_guessed(tmp_path, rows):
    path = pdb(tmp_path / "b.pdb", rows)
    with pytest.raises(DiffPairError, match=rf"mass of atom 0 \({rows[0][1]}-{rows[0][0]}\) is unknown: .*masses: {{"):
        build_from_files("b", path)
    assert build_from_files("b", path, masses=45.0).masses.tolist() == [45.0] * len(rows)
    stated = build_from_files("b", pdb(path, [(*row[:3], "C") for row in rows]))
    assert stated.masses == pytest.approx(12.0, abs=0.02)


def test_elements_of_whole_standard_residues_are_known(tmp_path):
    path = gro(tmp_path / "w.gro", ["OW", "HW1", "HW2"], residues=["SOL"] * 3)
    path.write_text(path.read_text().replace("    2SOL", "    1SOL").replace("    3SOL", "    1SOL"))
    state = build_from_files("w", path, types={"O": "W", "H": "H"})
    assert state.masses == pytest.approx([15.999, 1.008, 1.008], abs=0.01)
    rows = [(name, "SOL", 1, "") for name in ("OW", "HW1", "HW2")]
    state = build_from_files("w", pdb(tmp_path / "w.pdb", rows), types={"O": "W", "H": "H"}, exclude_bonds=0)
    assert state.masses == pytest.approx([15.999, 1.008, 1.008], abs=0.01)


def test_atoms_of_one_name_in_one_residue(tmp_path):
    """OpenMM's reader keeps one of them and calls the others alternate locations."""
    path = pdb(tmp_path / "p.pdb", [("B", "POL", 1, "")] * 4)
    with pytest.raises(DiffPairError, match=r"p\.pdb: 4 atoms, of which OpenMM reads 1"):
        build_from_files("p", path, masses=1.0)


def test_bonds_by_numbers_that_occur_twice(tmp_path):
    rows = [("B", "POL", k, "") for k in range(6)]
    with pytest.raises(DiffPairError, match=r"CONECT records do not tell which atoms they mean"):
        read_structure(pdb(tmp_path / "c.pdb", rows, extra=["CONECT    1    2"]))
    with pytest.raises(DiffPairError, match="CONECT records do not tell"):
        load_topology(tmp_path / "c.pdb", None)  # `diffpair target`, too
    assert read_structure(pdb(tmp_path / "c.pdb", rows[:4], extra=["CONECT    1    2"])).bonds == [(0, 1)]


def test_unit_cell_that_is_a_placeholder(tmp_path):
    with pytest.raises(DiffPairError, match=r"c\.pdb: its unit cell of 1 x 1 x 1 Angstrom is what programs"):
        build_from_files("c", pdb(tmp_path / "c.pdb", [("B", "POL", 1, "")], cell=1.0), masses=1.0)
