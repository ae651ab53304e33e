"""Small systems for the core's tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from diffpair.segments import Topology

CUBIC = np.diag([3.4, 3.5, 3.6])
TRICLINIC = np.array([[3.6, 0, 0], [1.1, 3.5, 0], [-0.9, 1.2, 3.7]])


@dataclass
class SmallSystem:
    """A dense soft-sphere fluid with a rough table, all in float64."""

    x: Tensor
    v: Tensor
    box: Tensor
    coefficients: Tensor
    inverse_mass: Tensor
    topology: Topology
    r_min: float = 0.7
    cutoff: float = 1.6

    def segment_arguments(self) -> dict:
        """What run_segment wants besides states and coefficients, for one replica."""
        return {
            "topology": self.topology,
            "boxes": self.box[None],
            "inverse_mass": self.inverse_mass,
            "r_min": self.r_min,
            "cutoff": self.cutoff,
        }


def lj_coefficients(rng: np.random.Generator, num_pairs: int, knots: int, r_min: float, cutoff: float) -> np.ndarray:
    """B-spline coefficients near those of a shifted Lennard-Jones, each pair different; three zeros at the end."""
    centres = r_min + (np.arange(knots + 2) - 1) * (cutoff - r_min) / (knots - 1)
    sigma = 0.9 + 0.1 * rng.random((num_pairs, 1))
    c = 4 * ((sigma / centres) ** 12 - (sigma / centres) ** 6) + 0.1 * rng.normal(size=(num_pairs, knots + 2))
    c[:, -3:] = 0
    return c


def make_system(
    seed: int = 0, atoms: int = 32, num_types: int = 1, box: np.ndarray = CUBIC, exclusions: int = 0, knots: int = 20
) -> SmallSystem:
    """Random positions, spread far beyond the box, with no pair closer than about 0.6 nm."""
    rng = np.random.default_rng(seed)
    x: list[np.ndarray] = []
    inverse = np.linalg.inv(box)
    while len(x) < atoms:
        trial = rng.random(3) @ box
        gap = np.array([trial - other for other in x]).reshape(-1, 3)
        gap -= np.round(gap @ inverse) @ box
        if len(x) == 0 or np.linalg.norm(gap, axis=1).min() > 0.62:
            x.append(trial)
    positions = np.array(x) + rng.integers(-2, 3, size=(atoms, 3)) @ box
    num_pairs = num_types * (num_types + 1) // 2
    return SmallSystem(
        x=torch.from_numpy(positions),
        v=torch.from_numpy(rng.normal(size=(atoms, 3))),
        box=torch.from_numpy(box),
        coefficients=torch.from_numpy(lj_coefficients(rng, num_pairs, knots, SmallSystem.r_min, SmallSystem.cutoff)),
        inverse_mass=torch.from_numpy(1 / rng.uniform(0.5, 3, size=atoms)),
        topology=Topology.of(
            rng.integers(0, num_types, size=atoms), num_types, rng.choice(atoms, size=(exclusions, 2), replace=True)
        ),
    )
