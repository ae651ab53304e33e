"""Small all-atom trajectories for the mapping: molecules in random places, split across the box, and a map of them."""

from __future__ import annotations

from pathlib import Path

import mdtraj
import numpy as np
import yaml
from scipy.spatial.transform import Rotation

ELEMENTS = mdtraj.element.Element

# residue: names and elements of its atoms, bonds between them, and where they are, nm
WATER = (
    "HOH",
    [("O", "O"), ("H1", "H"), ("H2", "H")],
    [(0, 1), (0, 2)],
    [[0, 0, 0], [0.096, 0, 0], [-0.024, 0.093, 0]],
)
BUTANE = (
    "BUT",
    [("C1", "C"), ("H1", "H"), ("C2", "C"), ("H2", "H"), ("C3", "C"), ("H3", "H"), ("C4", "C"), ("H4", "H")],
    [(0, 2), (2, 4), (4, 6), (0, 1), (2, 3), (4, 5), (6, 7)],
    [[0, 0, 0], [0, 0.1, 0], [0.15, 0, 0], [0.15, 0.1, 0], [0.3, 0, 0], [0.3, 0, 0.1], [0.45, 0, 0], [0.45, 0, -0.1]],
)
ARGON = ("AR", [("AR", "Ar")], [], [[0, 0, 0]])

BEADS_OF_BUTANE = [
    {"name": "L", "type": "A", "atoms": ["C1", "H1", "C2", "H2"]},
    {"name": "R", "type": "A", "atoms": ["C3", "H3", "C4", "H4"]},
]
MAP = {
    "temperature": "300 K",
    "molecules": [
        {"residue": "BUT", "beads": BEADS_OF_BUTANE},
        {"residue": "HOH", "name": "W", "beads": [{"type": "W", "atoms": ["O", "H1", "H2"]}]},
    ],
}


def topology_of(*species: tuple[tuple, int]) -> mdtraj.Topology:
    """Residues of the given kinds, so many of each, with bonds."""
    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for (name, atoms, bonds, _), count in species:
        for _ in range(count):
            residue = topology.add_residue(name, chain)
            made = [topology.add_atom(atom, ELEMENTS.getBySymbol(symbol), residue) for atom, symbol in atoms]
            for i, j in bonds:
                topology.add_bond(made[i], made[j])
    return topology


def rotations(count: int, rng: np.random.Generator) -> np.ndarray:
    """Random rotation matrices [count, 3, 3], no reflections."""
    return Rotation.random(count, rng=rng).as_matrix()


def trajectory_of(*species: tuple[tuple, int], frames: int = 20, edge: float = 2.0, seed: int = 0, wrap: bool = True):
    """Rigid molecules in random places and directions, in boxes that change; atoms wrapped one by one."""
    rng = np.random.default_rng(seed)
    lengths = edge * (1 + 0.03 * rng.random((frames, 1))) * np.ones(3)
    parts = []
    for (_, _, _, shape), count in species:
        turned = np.einsum("fmij,kj->fmki", rotations(frames * count, rng).reshape(frames, count, 3, 3), shape)
        places = rng.random((frames, count, 1, 3)) * lengths[:, None, None]
        parts.append((turned + places).reshape(frames, -1, 3))
    x = np.concatenate(parts, axis=1)
    if wrap:
        x -= np.floor(x / lengths[:, None]) * lengths[:, None]
    return mdtraj.Trajectory(
        x, topology_of(*species), unitcell_lengths=lengths, unitcell_angles=np.full((frames, 3), 90.0)
    )


def write_files(folder: Path, trajectory: mdtraj.Trajectory, document: dict) -> None:
    """top.pdb, t.dcd and map.yaml."""
    trajectory[0].save_pdb(str(folder / "top.pdb"))
    trajectory.save_dcd(str(folder / "t.dcd"))
    (folder / "map.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
