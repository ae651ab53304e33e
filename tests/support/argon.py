"""Frames as an mdtraj Trajectory."""

from __future__ import annotations

import mdtraj
import numpy as np


def trajectory_of(x: np.ndarray, box: np.ndarray) -> mdtraj.Trajectory:
    """Frames [F, N, 3] of unbonded atoms in one box [3, 3], nm."""
    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for _ in range(x.shape[1]):
        topology.add_atom("A", mdtraj.element.argon, topology.add_residue("A", chain))
    trajectory = mdtraj.Trajectory(x, topology)
    trajectory.unitcell_vectors = np.repeat(box[None], len(x), axis=0)
    return trajectory
