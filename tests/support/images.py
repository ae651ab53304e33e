"""Distances and angles by trying every image: NumPy, slow and obvious."""

from __future__ import annotations

from itertools import combinations

import numpy as np


def separation(x: np.ndarray, i: int, j: int, box: np.ndarray) -> np.ndarray:
    """The shortest vector from atom i to any image of atom j."""
    d = x[j] - x[i]
    d = d - np.round(d @ np.linalg.inv(box)) @ box
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3) @ box
    images = d + shifts
    return images[np.argmin((images**2).sum(1))]


def neighbours(x: np.ndarray, box: np.ndarray, reach: float, excluded: set[tuple[int, int]]) -> dict[int, list]:
    """Per atom its neighbours (j, distance, unit vector) within reach."""
    found: dict[int, list] = {i: [] for i in range(len(x))}
    for i, j in combinations(range(len(x)), 2):
        d = separation(x, i, j, box)
        r = np.linalg.norm(d)
        if r < reach and (i, j) not in excluded:
            found[i].append((j, r, d / r))
            found[j].append((i, r, -d / r))
    return found


def excluded_pairs(exclusions: np.ndarray) -> set[tuple[int, int]]:
    """As pairs (i, j) with i < j."""
    return {(min(pair), max(pair)) for pair in np.asarray(exclusions).tolist()}


def gas(frames: int, atoms: int, box: np.ndarray, seed: int = 0) -> np.ndarray:
    """Uniformly random positions [frames, atoms, 3] in a box."""
    return np.random.default_rng(seed).random((frames, atoms, 3)) @ box
