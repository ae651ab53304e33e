"""The table's basis functions as a matrix, and tables nearest to a U(r)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

import diffpair.ops  # noqa: F401  registers torch.ops.diffpair
from diffpair.potentials.base import TableGrid
from diffpair.tables.spline import overlap

Array = NDArray[np.float64]
STEEP = 5.0  # kT: where U is more, its errors count relative to it, since g is next to nothing there
TRACE = 1e-4  # weight of second differences beside that of U / kT: far below the noise of any U
TAPER = 0.2  # the last part of a range over which what is known there goes to zero


def spline_basis(grid: TableGrid, r: Array) -> Array:
    """B_k(r), [n, knots + 2]: U = B c. Linear below r_min, 0 from the cutoff on."""
    near = overlap(np.asarray(r, dtype=np.float64), grid.r_min, grid.cutoff, grid.knots)
    basis = np.zeros((len(near.first), grid.knots + 2))
    for k in range(4):
        basis[np.arange(len(basis)), near.first + k] = near.values[k]
    return basis


def fine_grid(grid: TableGrid) -> Array:
    """Distances in nm on which a U(r) is given to `fit_spline`, eight per knot."""
    return np.linspace(grid.r_min, grid.cutoff, 8 * grid.knots)


def fit_spline(grid: TableGrid, r: Array, energy: Array, kT: float) -> Array:
    """Coefficients [knots + 2] of the table nearest to U at r [n] in nm; core errors count relative to U / STEEP."""
    free = grid.knots - 1
    weight = 1 / (1 + np.abs(energy) / (STEEP * kT))
    matrix = spline_basis(grid, r)[:, :free] * weight[:, None]
    # a trace of smoothness keeps coefficients that no distance fixes from wandering
    second = TRACE * (np.eye(free) - 2 * np.eye(free, k=1) + np.eye(free, k=2))
    solution = np.linalg.lstsq(
        np.vstack([matrix, second]), np.concatenate([energy * weight, np.zeros(free)]), rcond=None
    )[0]
    return np.concatenate([solution, np.zeros(3)])


def fade(r: Array, end: float, part: float = TAPER) -> Array:
    """1, and over the last part of the range to `end` smoothly to 0, at r [n] in nm."""
    return np.asarray(torch.ops.diffpair.switching(torch.from_numpy(r), end, part * end).numpy())


def matern(apart: Array, amplitude: ArrayLike, length: float) -> Array:
    """Matern-5/2 covariance of a function of this standard deviation [n] at places that are `apart` [n, n]."""
    x, sigma = np.sqrt(5.0) * apart / length, np.broadcast_to(amplitude, len(apart))
    return np.asarray(sigma[:, None] * (1 + x + x**2 / 3) * np.exp(-x) * sigma[None])
