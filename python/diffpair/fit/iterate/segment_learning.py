"""What Gauss-Newton learns from adjoint segments in an iteration: the Jacobian first, then what corrects it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.engines import Frames
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.gradients import TargetRows, smooth_vectors
from diffpair.potentials import TableGrid
from diffpair.updates import Observation, SegmentMemory

Array = NDArray[np.float64]


def learn_from_segments(
    gradient: WatchedAdjoint, memory: SegmentMemory, rows: TargetRows, coefficients: Array, grid: TableGrid,
    frames: Frames, observation: Observation,
) -> None:  # fmt: skip
    """Bring the memory's Jacobian to the present table, [npairs, knots + 2] in kJ/mol.

    The first time, and once segments have become shorter (shorter ones see less of the response): products with all
    smooth vectors. Later one backward pass per iteration, J^T W r with the present residual: the gradient of the loss.
    """
    c = torch.from_numpy(coefficients.copy())
    if memory.known and memory.steps == gradient.method.steps:
        vector = observation.residual / observation.sigma**2
        vector = vector / np.linalg.norm(vector * observation.sigma)
        fresh = gradient.correction(rows, c, grid, frames, vector)
        if fresh is not None:
            memory.correct(vector, fresh, observation.sigma)
        return
    vectors = smooth_vectors(rows, memory.modes)
    found = gradient.products(rows, c, grid, frames, vectors)
    memory.begin(vectors, found.products, gradient.method.steps)
