"""The table's basis functions as a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.potentials.base import TableGrid

Array = NDArray[np.float64]


def spline_basis(grid: TableGrid, r: Array) -> Array:
    """B_k(r), [n, knots + 2]: U = B c. Linear below r_min, 0 from the cutoff on."""
    r = np.asarray(r, dtype=np.float64)
    inside = np.clip(r, grid.r_min, grid.cutoff)
    x = np.abs((inside[:, None] - grid.centres().numpy()) / grid.spacing)
    basis = np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, np.maximum(2 - x, 0.0) ** 3 / 6, 0.0))
    below = np.minimum((r - grid.r_min) / grid.spacing, 0.0)
    basis[:, 0] -= below / 2
    basis[:, 2] += below / 2
    basis[r >= grid.cutoff] = 0.0
    return basis
