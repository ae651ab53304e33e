"""dL/dc of one state for a first-order update, and how well it is known."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.engines import Frames
from diffpair.engines.statistics import BLOCKS, block_means
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.gradients import Fluctuation, FrameSums, GradientMethod, TargetRows
from diffpair.potentials import TableGrid
from diffpair.settings.gradient import BATCHES

Array = NDArray[np.float64]


def noisy_gradient(
    method: GradientMethod, rows: TargetRows, coefficients: Array, grid: TableGrid, frames: Frames, weights: Array,
    sums: FrameSums,
) -> tuple[Array, Array | None]:  # fmt: skip
    """dL/dc, flat [npairs * (knots + 2)], and its noise as StateView.gradient_noise; None where nothing tells it.

    The noise is the spread of blocks of frames, or of batches of segments; with fewer frames or segments than those
    there is none.

    Args:
        coefficients: the table that made the frames, [npairs, knots + 2] in kJ/mol. weights: dL/d<A>, [rows].
    """
    c, w = torch.from_numpy(coefficients.copy()), torch.from_numpy(weights)
    if isinstance(method, Fluctuation):
        each = method.contributions(sums, weights, rows.state.beta)
        return each.mean(0), _spread(block_means(each)) if len(each) >= BLOCKS else None
    if isinstance(method, WatchedAdjoint) and min(method.method.segments, len(frames.positions)) >= BATCHES:
        batches = method.products(rows, c, grid, frames, weights[None]).products[:, 0]
        return batches.mean(0), _spread(batches)
    return method(rows, c, grid, frames, w, sums).flatten().numpy(), None


def _spread(parts: Array) -> Array:
    """From equal parts of a mean [m, n]: their deviations from it, scaled to the noise of that mean."""
    count = len(parts)
    return np.asarray((parts - parts.mean(0)) / np.sqrt(count * (count - 1)))
