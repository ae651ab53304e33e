"""The gradient through trajectories: DiffSim with the exact discrete adjoint."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients.fluctuation import FrameSums
from diffpair.gradients.target_rows import TargetRows
from diffpair.potentials.base import TableGrid
from diffpair.segments import run_segment


class DiscreteAdjoint:
    """dL/dc of short segments that start from production frames (arXiv 2209.07679, discretised first).

    A segment sees the part of the equilibrium response that relaxes within it, -beta (C(0) - C(t)); beyond about one
    relaxation time chaos swamps it.

    Args:
        segments: replicas, each from its own frame. steps: length of a segment. every: a frame every so many steps.
        timestep: ps. dtype: float32 for speed, float64 for checks.
    """

    def __init__(
        self,
        segments: int = 16,
        steps: int = 50,
        every: int = 5,
        *,
        timestep: float,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        if segments < 1 or steps < 1 or every < 1 or steps % every:
            raise DiffPairError(
                f"adjoint segments need positive numbers and steps a multiple of every, not segments = {segments}, "
                f"steps = {steps}, every = {every}"
            )
        self.segments, self.steps, self.every = segments, steps, every
        self.timestep, self.dtype = timestep, dtype

    def check(self, rows: TargetRows) -> None:
        """Raises DiffPairError for a state whose segments cannot be run."""
        if rows.state.base_system is not None:
            raise DiffPairError(
                f"state {rows.state.name!r} has further forces, which the adjoint gradient does not support yet; "
                f"use gradient: {{method: fluctuation}}"
            )

    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None,
    ) -> Tensor:  # fmt: skip
        """See GradientMethod. L = sum_k w_k <g_k>, averaged over replicas and frames before it is differentiated."""
        self.check(rows)
        count = len(frames.positions)
        if count < 1:
            raise DiffPairError("the adjoint gradient needs at least one production frame to start from")
        chosen = np.unique(np.linspace(0, count - 1, min(self.segments, count)).round().astype(int))
        x0, v0 = (torch.from_numpy(a[chosen]).to(self.dtype) for a in (frames.positions, frames.velocities))
        boxes = torch.from_numpy(np.ascontiguousarray(frames.boxes[chosen], dtype=np.float64))
        c = coefficients.detach().clone().requires_grad_()
        x, _ = run_segment(
            x0, v0, c, topology=rows.topology, boxes=boxes, inverse_mass=rows.inverse_mass, r_min=grid.r_min,
            cutoff=grid.cutoff, timestep=self.timestep, steps=self.steps, frame_every=self.every,
        )  # fmt: skip
        g = rows.g(x.flatten(0, 1), boxes.repeat_interleave(x.shape[1], 0)).mean(0)
        (gradient,) = torch.autograd.grad(g @ weights.detach(), c)
        if not torch.isfinite(gradient).all():
            raise DiffPairError(
                f"the adjoint gradient of state {rows.state.name!r} is not finite: segments of {self.steps} steps "
                f"are too long"
            )
        return gradient
