"""The table's basis functions as a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.potentials.base import TableGrid
from diffpair.tables.spline import overlap

Array = NDArray[np.float64]


def spline_basis(grid: TableGrid, r: Array) -> Array:
    """B_k(r), [n, knots + 2]: U = B c. Linear below r_min, 0 from the cutoff on."""
    near = overlap(np.asarray(r, dtype=np.float64), grid.r_min, grid.cutoff, grid.knots)
    basis = np.zeros((len(near.first), grid.knots + 2))
    for k in range(4):
        basis[np.arange(len(basis)), near.first + k] = near.values[k]
    return basis
