"""The gradient through trajectories: DiffSim with the exact discrete adjoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients.base import GradientMethod
from diffpair.gradients.device import segment_starts
from diffpair.gradients.dynamics import MakeIntegrator, noise_seed, segment_forces, unknown_to_segments, verlet
from diffpair.gradients.frame_sums import FrameSums
from diffpair.gradients.target_rows import TargetRows
from diffpair.potentials.base import TableGrid
from diffpair.segments import run_segment

# Growth of the adjoint above which a segment counts as chaotic; docs/method/audit.md tells how it was chosen.
CHAOS = 5.0


class Chaos(DiffPairError):
    """Most segments are so long that their gradient is chaos."""


@dataclass(frozen=True)
class SegmentGradient:
    """dL/dc and what it was made of.

    gradient: [npairs, knots + 2], mean over the segments that are not dropped. growth: how much the adjoint has grown
    on its way back, per segment [R]. dropped: number of segments left out because theirs was above the limit.
    """

    gradient: Tensor
    growth: NDArray[np.float64]
    dropped: int


class DiscreteAdjoint(GradientMethod):
    """dL/dc of short segments that start from production frames (arXiv 2209.07679, discretised first).

    A segment sees the part of the equilibrium response that relaxes within it, -beta (C(0) - C(t)); beyond about one
    relaxation time chaos swamps it. What tells is the growth |dL/dx_0| / sum_f |dL/dx_f| of a segment, x_0 its start
    and the sum over what the loss puts in at its frames f: below one as long as positions are carried along, e^(lambda
    t) once the largest Lyapunov exponent lambda rules. It depends on neither the size of the loss nor that of the
    residual, and it takes no further pass. The spread of the segments' norms tells much less: all segments of a
    homogeneous liquid go wild together.

    Args:
        segments: replicas, each from its own frame. steps: length of a segment. every: a frame every so many steps.
        timestep: ps. dtype: float32 for speed, float64 for checks. max_growth: segments above it are dropped; inf keeps
        all. integrator: makes that of a state's segments. seed: of its noise; the same seed and draw (see `measure`)
        give the same bits. platform: OpenMM's, by default CPU, for those forces of a state's System that segments do
        not know themselves.
    """

    def __init__(
        self,
        segments: int = 16,
        steps: int = 50,
        every: int = 5,
        *,
        timestep: float,
        dtype: torch.dtype = torch.float64,
        max_growth: float = CHAOS,
        integrator: MakeIntegrator = verlet,
        seed: int = 1,
        platform: str | None = None,
    ) -> None:
        if segments < 1 or steps < 1 or every < 1 or steps % every:
            raise DiffPairError(
                f"adjoint segments need positive numbers and steps a multiple of every, not segments = {segments}, "
                f"steps = {steps}, every = {every}"
            )
        if seed < 0:
            raise DiffPairError(f"the seed of adjoint segments must not be negative, but is {seed}")
        self.segments, self.steps, self.every = segments, steps, every
        self.timestep, self.dtype, self.max_growth = timestep, dtype, max_growth
        self.integrator, self.seed, self.platform = integrator, seed, platform

    @property
    def starts(self) -> int:
        """See GradientMethod."""
        return self.segments

    def check(self, rows: TargetRows) -> None:
        """Raises DiffPairError for a state whose segments cannot be run."""
        if rows.state.barostat is not None:
            raise DiffPairError(
                f"state {rows.state.name!r} has a barostat, but segments have a constant volume and do not see how "
                f"that answers to the potential; use gradient: {{method: fluctuation}}"
            )
        if rows.state.bonded:
            raise DiffPairError(
                f"state {rows.state.name!r} has bonded terms of the potential, which segments of the adjoint gradient "
                f"do not have; use gradient: {{method: fluctuation}}"
            )
        rows.pressure.check_segments()
        if found := unknown_to_segments(rows):
            raise DiffPairError(
                f"state {rows.state.name!r} has {found}, which the segments of the adjoint gradient do not know; use "
                f"gradient: {{method: fluctuation}}"
            )

    def describe_forces(self, rows: TargetRows) -> str:
        """See GradientMethod: natively in segments, or by OpenMM."""
        forces = segment_forces(rows, self.platform)
        return "" if forces is None else forces.describe(self.dtype == torch.float32)

    def measure(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor, draw: int = 0
    ) -> SegmentGradient:
        """The gradient (see GradientMethod) with the growth of every segment.

        L = sum_k w_k <g_k>, averaged over replicas and frames before it is differentiated. `draw`: another number,
        other noise, such as the number of a fit's iteration. Raises Chaos where half of the segments or more are above
        `max_growth`, or the gradient is not finite; DiffPairError without frames.
        """
        chosen = self.choose(frames)
        self.check(rows)
        x0, (x, v), c, boxes = self.record(rows, coefficients, grid, frames, chosen, draw)
        losses = rows.of_segment(x, v, boxes, c, grid) @ weights.detach()  # [R]
        gradient, back, put_in = torch.autograd.grad(losses.mean(), (c, x0, x), retain_graph=True)
        growth = growth_of(back, put_in)
        calm = self.calm(rows, growth)
        dropped = int(np.count_nonzero(~calm))
        if dropped:
            (gradient,) = torch.autograd.grad(losses[torch.from_numpy(calm)].mean(), c)
        if not torch.isfinite(gradient).all():
            raise self.chaos(rows, growth)
        return SegmentGradient(gradient, growth, dropped)

    def choose(self, frames: Frames) -> NDArray[np.intp]:
        """Which frames the segments start from, spread evenly. Raises DiffPairError without frames."""
        count = len(frames.positions)
        if count < 1:
            raise DiffPairError("the adjoint gradient needs at least one production frame to start from")
        return np.unique(np.linspace(0, count - 1, min(self.segments, count)).round().astype(int))

    def record(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, chosen: NDArray[np.intp],
        draw: int,
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor, Tensor]:  # fmt: skip
        """Run segments from the chosen frames for backward passes.

        Returns: their start x_0 [R, N, 3]; positions and velocities of their frames [R, F, N, 3]; the table that
        gradients are taken for, [npairs, knots + 2]; boxes [R, 3, 3].
        """
        further = segment_forces(rows, self.platform)
        x0, v0 = segment_starts(rows.device, frames, chosen, self.dtype, further)
        boxes = torch.from_numpy(np.ascontiguousarray(frames.boxes[chosen], dtype=np.float64))
        c = coefficients.detach().clone().requires_grad_()
        path = run_segment(
            x0.requires_grad_(), v0, c, topology=rows.topology, boxes=boxes, inverse_mass=rows.inverse_mass,
            r_min=grid.r_min, cutoff=grid.cutoff, timestep=self.timestep, steps=self.steps, frame_every=self.every,
            integrator=self.integrator(rows.state, noise_seed(self.seed, rows.state, draw)),
            forces=None if further is None else further.in_boxes(boxes.numpy()),
        )  # fmt: skip
        return x0, path, c, boxes

    def calm(self, rows: TargetRows, growth: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which segments are not above the limit. Raises Chaos where half of them or more are."""
        calm = growth <= self.max_growth  # false for NaN, too
        if 2 * np.count_nonzero(calm) <= len(calm):
            raise self.chaos(rows, growth)
        return np.asarray(calm)

    def chaos(self, rows: TargetRows, growth: NDArray[np.float64]) -> Chaos:
        """The error that says so."""
        typical = float(np.median(growth)) if np.isfinite(growth).all() else float("inf")
        return Chaos(
            f"the adjoint gradient of state {rows.state.name!r} has become chaos: on its way back through segments of "
            f"{self.steps} steps it grows by a factor of {typical:.3g} (limit {self.max_growth:g}), so they are too "
            f"long"
        )

    def __call__(
        self, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, weights: Tensor,
        sums: FrameSums | None = None,
    ) -> Tensor:  # fmt: skip
        """See GradientMethod. Raises Chaos where the segments are too long."""
        return self.measure(rows, coefficients, grid, frames, weights).gradient


def growth_of(back: Tensor, put_in: Tensor) -> NDArray[np.float64]:
    """|dL/dx_0| / sum_f |dL/dx_f| per segment, [R]; of dL/dx_0 [R, N, 3] and what the loss puts in, [R, F, N, 3]."""
    into = put_in.double().flatten(2).norm(dim=2).sum(1).clamp_min(torch.finfo(torch.float64).tiny)
    return np.asarray((back.double().flatten(1).norm(dim=1) / into).cpu().numpy())
