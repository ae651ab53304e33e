"""Lengths, angles and dihedrals in periodic boxes: against mdtraj's, and OpenMM's sign."""

from __future__ import annotations

import mdtraj
import numpy as np
import openmm
import pytest
from tests.support.chains import BOX

from diffpair.errors import DiffPairError
from diffpair.observables.bonded_coordinates import bonded_coordinates

PATHS = {length: np.array([np.roll(np.arange(9), k)[:length] for k in range(5)]) for length in (2, 3, 4)}


def frames(box, count=30, seed=0):
    """Particles near each other, each moved by whole box vectors."""
    rng = np.random.default_rng(seed)
    x = 0.5 * rng.random((count, 9, 3))
    boxes = box * (1 + 0.05 * rng.random(count))[:, None, None]
    return x + np.einsum("fnk,fkd->fnd", rng.integers(-2, 3, (count, 9, 3)), boxes), boxes


@pytest.mark.parametrize("box", [np.eye(3) * 1.7, BOX], ids=["cube", "triclinic"])
@pytest.mark.parametrize("length", [2, 3, 4])
def test_equals_mdtraj(box, length):
    x, boxes = frames(box)
    traj = mdtraj.Trajectory(x, None)
    traj.unitcell_vectors = boxes.astype(np.float32)
    compute = {2: mdtraj.compute_distances, 3: mdtraj.compute_angles, 4: mdtraj.compute_dihedrals}[length]
    expected = compute(traj, PATHS[length], opt=False)
    found = bonded_coordinates(x, boxes, PATHS[length])
    apart = np.abs(found - expected)
    if length == 4:
        apart = np.minimum(apart, 2 * np.pi - apart)
    np.testing.assert_allclose(apart, 0, atol=2e-4)  # mdtraj's are in single precision


def test_sign_and_branch_are_those_of_openmm():
    """The value of every dihedral as energy, and a Context for each frame of the triclinic box."""
    x, boxes = frames(BOX, count=5)
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*BOX)
    force = openmm.CustomCompoundBondForce(4, "dihedral(p1, p2, p3, p4)")
    force.setUsesPeriodicBoundaryConditions(True)
    for _ in range(9):
        system.addParticle(1.0)
    force.addBond(PATHS[4][1].tolist())
    system.addForce(force)
    reference = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), reference)
    for positions, box in zip(x, boxes, strict=True):
        context.setPeriodicBoxVectors(*box)
        context.setPositions(positions)
        energy = context.getState(energy=True).getPotentialEnergy()._value
        assert bonded_coordinates(positions[None], box, PATHS[4][1:2])[0, 0] == pytest.approx(energy, abs=1e-6)


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([[0, 0, 0], [0.1, 0, 0], [0.2, 0, 0]], np.pi),
        ([[0.1, 0, 0], [0, 0, 0], [0.2, 0, 0]], 0.0),
        ([[0, 0.1, 0], [0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0]], 0.0),
        ([[0, 0.1, 0], [0, 0, 0], [0.1, 0, 0], [0.1, -0.1, 0]], np.pi),
        ([[0, 0.1, 0], [0, 0, 0], [0.1, 0, 0], [0.1, 0, 0.1]], np.pi / 2),
    ],
)
def test_exact_where_cosines_are_not(positions, expected):
    path = [list(range(len(positions)))]
    assert bonded_coordinates([positions], np.eye(3), path)[0, 0] == pytest.approx(expected, abs=1e-12)


def test_one_box_per_frame():
    """The same separation in two boxes: another image in each."""
    boxes = np.stack([np.eye(3), 3 * np.eye(3)])
    found = bonded_coordinates([[[0, 0, 0], [0, 0, 0.9]]] * 2, boxes, [[0, 1]])
    np.testing.assert_allclose(found[:, 0], [0.1, 0.9])


def test_paths_of_five_are_refused():
    with pytest.raises(DiffPairError, match=r"must be \[n, 2\], \[n, 3\] or \[n, 4\], not \[1, 5\]"):
        bonded_coordinates(np.zeros((1, 5, 3)), np.eye(3), [[0, 1, 2, 3, 4]])
