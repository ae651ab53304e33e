"""Positions of beads: against mdtraj's centres of whole molecules, whatever the box has split."""

from __future__ import annotations

import mdtraj
import numpy as np
import pytest
from tests.support.chains import BOX
from tests.support.mapped import BUTANE, MAP, WATER, topology_of, trajectory_of

from diffpair.errors import DiffPairError
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.kinds import find_kinds
from diffpair.mapping.settings import MapSettings
from diffpair.systems.nearest_image import nearest_image
from diffpair.systems.whole import Tree
from diffpair.trajectories.files import Frames

SPECIES = ((BUTANE, 5), (WATER, 7))


def beads_of(topology, **change):
    return BeadMap(find_kinds(topology, MapSettings(**(MAP | change))))


def frames_of(traj):
    return Frames(traj.xyz, traj.unitcell_vectors.astype(np.float64))


def expected(traj, residue, names, centre=mdtraj.compute_center_of_mass):
    """[F, M, 3] centres of those atoms of each residue, by mdtraj, of molecules that are whole."""
    groups = [
        [atom.index for atom in found.atoms if atom.name in names]
        for found in traj.topology.residues
        if found.name == residue
    ]
    return np.stack([centre(traj.atom_slice(group)) for group in groups], axis=1)


def apart(found, wanted, boxes):
    """Largest distance of two sets of positions, whole box vectors apart or not, nm."""
    return np.linalg.norm(nearest_image(found - wanted, boxes), axis=-1).max()


def test_centres_of_mass_are_those_of_mdtraj():
    whole, split = (trajectory_of(*SPECIES, wrap=wrap) for wrap in (False, True))
    assert np.abs(whole.xyz - split.xyz).max() > 1.9, "no molecule is split"
    x = beads_of(split.topology).positions(frames_of(split))
    boxes = split.unitcell_vectors
    assert apart(x[:, 0:10:2], expected(whole, "BUT", {"C1", "H1", "C2", "H2"}), boxes) < 1e-5
    assert apart(x[:, 1:10:2], expected(whole, "BUT", {"C3", "H3", "C4", "H4"}), boxes) < 1e-5
    assert apart(x[:, 10:], expected(whole, "HOH", {"O", "H1", "H2"}), boxes) < 1e-5


def test_molecules_are_whole():
    split = trajectory_of(*SPECIES)
    x = beads_of(split.topology).positions(frames_of(split))
    np.testing.assert_allclose(np.linalg.norm(x[:, 0:10:2] - x[:, 1:10:2], axis=-1), 0.3, atol=0.02)


def test_centres_of_geometry():
    traj = trajectory_of(*SPECIES)
    beads = [{"type": "W", "atoms": ["O", "H1", "H2"], "centre": "geometry"}]
    x = beads_of(traj.topology, molecules=[{"residue": "HOH", "name": "W", "beads": beads}]).positions(frames_of(traj))
    whole = trajectory_of(*SPECIES, wrap=False)
    wanted = expected(whole, "HOH", {"O", "H1", "H2"}, mdtraj.compute_center_of_geometry)
    assert apart(x, wanted, traj.unitcell_vectors) < 1e-5
    assert apart(x, expected(whole, "HOH", {"O", "H1", "H2"}), traj.unitcell_vectors) > 0.01


def test_masses_that_are_given_move_the_centre():
    traj = trajectory_of(*SPECIES)
    masses = {"O": "0 amu", "HOH-H1": "3 amu", "H2": "1 amu"}
    molecules = [MAP["molecules"][1]]
    beads = beads_of(traj.topology, molecules=molecules, masses=masses)
    assert beads.masses.tolist() == [4.0] * 7
    x = beads.positions(frames_of(traj))
    first, second = (expected(trajectory_of(*SPECIES, wrap=False), "HOH", {name}) for name in ("H1", "H2"))
    assert apart(x, 0.75 * first + 0.25 * second, traj.unitcell_vectors) < 1e-5


def test_without_bonds_atoms_are_near_the_first_of_their_bead():
    split = trajectory_of(*SPECIES)
    bare = mdtraj.Topology()
    chain = bare.add_chain()
    for residue in split.topology.residues:
        made = bare.add_residue(residue.name, chain)
        for atom in residue.atoms:
            bare.add_atom(atom.name, atom.element, made)
    molecules = [{**MAP["molecules"][0], "bonds": [["L", "R"]]}, MAP["molecules"][1]]
    with_bonds = beads_of(split.topology).positions(frames_of(split))
    x = beads_of(bare, molecules=molecules).positions(frames_of(split))
    assert apart(x, with_bonds, split.unitcell_vectors) < 1e-5
    np.testing.assert_allclose(np.linalg.norm(x[:, 0:10:2] - x[:, 1:10:2], axis=-1), 0.3, atol=0.02)


def test_atoms_on_both_sides_of_half_the_box_without_bonds():
    """Seen from the molecule's first atom the two of the bead R are in different images."""
    thread = ("THD", [("X1", "O"), ("X2", "O"), ("X3", "O")], [], None)
    beads = [{"name": "L", "type": "A", "atoms": ["X1"]}, {"name": "R", "type": "A", "atoms": ["X2", "X3"]}]
    molecules = [{"residue": "THD", "bonds": [["L", "R"]], "beads": beads}]
    made = beads_of(topology_of((thread, 1)), molecules=molecules)
    x = made.positions(Frames(np.array([[[0, 0, 0], [0.44, 0, 0], [0.54, 0, 0]]], np.float32), np.eye(3)[None]))
    np.testing.assert_allclose(x[0], [[0, 0, 0], [0.49, 0, 0]], atol=1e-6)


def test_beads_in_triclinic_boxes():
    rng = np.random.default_rng(3)
    topology = topology_of((BUTANE, 4))
    shape = np.array(BUTANE[3])
    whole = rng.random((6, 4, 1, 3)) @ BOX + shape
    moved = whole + rng.integers(-2, 3, whole.shape) @ BOX
    boxes = np.broadcast_to(BOX, (6, 3, 3))
    beads = beads_of(topology, molecules=MAP["molecules"][:1])
    masses = np.array([atom.element.mass for atom in topology.atoms])[:8]
    wanted = np.average(whole[:, :, :4], axis=2, weights=masses[:4])
    x = beads.positions(Frames(moved.reshape(6, -1, 3), boxes))
    assert apart(x[:, 0::2], wanted, boxes) < 1e-6


def test_a_bead_wider_than_half_of_the_box_is_refused():
    traj = trajectory_of((BUTANE, 3), edge=0.8)
    molecules = [{"residue": "BUT", "beads": [{"type": "A", "select": "all"}]}]
    beads = beads_of(traj.topology, molecules=molecules)
    with pytest.raises(DiffPairError, match=r"the bead A of molecule \d of BUT reaches over \d\d % of the box"):
        beads.positions(frames_of(traj))


def test_masses_bonds_and_molecules_of_all_beads():
    beads = beads_of(topology_of(*SPECIES))
    assert beads.names == ["L", "R"] * 5 + ["W"] * 7
    assert beads.types == ["A"] * 10 + ["W"] * 7
    np.testing.assert_allclose(beads.masses, [2 * 12.011 + 2 * 1.008] * 10 + [18.015] * 7, atol=0.002)
    assert beads.molecule.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11]
    assert beads.bonds.tolist() == [[k, k + 1] for k in range(0, 10, 2)]


def test_a_ring_and_a_loose_part_are_made_whole():
    """Six atoms in a ring and two that no bond joins to it, each at random in another image."""
    rng = np.random.default_rng(1)
    angles = np.arange(6) * np.pi / 3
    ring = 0.14 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    x = np.concatenate([ring, ring[:2] + np.array([0.2, 0, 0.1])])
    box = np.eye(3)
    tree = Tree([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (6, 7)], 8)
    moved = x + rng.integers(-3, 4, (5, 2, 8, 3)) @ box
    whole = tree.whole(moved, np.broadcast_to(box, (5, 3, 3)))
    np.testing.assert_allclose(whole - whole[:, :, :1], np.broadcast_to(x - x[0], whole.shape), atol=1e-12)
    assert (whole[:, :, 0] == moved[:, :, 0]).all()
    assert tree.part.tolist() == [0] * 6 + [6] * 2
