"""How the velocity autocorrelation answers to the friction and to the table, through segments."""

from __future__ import annotations

import numpy as np
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients.device import segment_starts
from diffpair.gradients.dynamics import noise_seed, segment_forces, unknown_to_segments
from diffpair.gradients.target_rows import TargetRows
from diffpair.observables.time_correlation import velocity_autocorrelation
from diffpair.potentials.base import TableGrid
from diffpair.segments import LangevinMiddle, run_segment
from diffpair.settings.gradient import BATCHES

Array = NDArray[np.float64]
MODES = 8  # smooth vectors (cosines over the lags) that the response is measured with


def friction_response(
    rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, friction: float, *, lags: int,
    stride: int, timestep: float, segments: int, seed: int, dtype: torch.dtype = torch.float64,
    modes: int = MODES, platform: str | None = None,
) -> tuple[Array, Array]:  # fmt: skip
    """d (C(t) / C(0)) / d ln(friction) of batches of Langevin segments, [BATCHES, lags], and d (C(t) / C(0)) / dc at
    fixed start states, [BATCHES, lags, npairs * (knots + 2)].

    Start states do not depend on the friction in equilibrium, neither positions nor velocities: other than for g(r),
    nothing of the response is missing from a segment that is as long as the longest lag. They do depend on the table,
    by the part of a change of it that changes g. The noise of the thermostat is held fixed.

    Args:
        coefficients: the table, [npairs, knots + 2] in kJ/mol, on `grid`. frames: production frames to start from, at
        least BATCHES. friction: 1/ps. lags: from 0 on, `stride` steps of `timestep` (ps) apart. segments: replicas.
        seed: of their noise. modes: backward passes, one for each smooth vector; `lags` of them give all there is.
        platform: see DiscreteAdjoint.

    Raises: DiffPairError for a state whose segments cannot be run.
    """
    chosen = np.linspace(0, len(frames) - 1, max(BATCHES, min(segments, len(frames)))).round().astype(int)
    vectors = torch.from_numpy(scipy.fft.dct(np.eye(lags), axis=0, norm="ortho")[:modes])
    responses, by_table = [], []
    c = coefficients.detach().clone().requires_grad_()
    if found := unknown_to_segments(rows):
        raise DiffPairError(
            f"state {rows.state.name!r} has {found}, which the segments that a friction is learned from do not know; "
            f"leave out its vacf, or have it held_out"
        )
    further = segment_forces(rows, platform)
    for number, batch in enumerate(np.array_split(chosen, BATCHES)):
        x0, v0 = segment_starts(rows.device, frames, batch, dtype, further)
        log_friction = torch.tensor(np.log(friction), dtype=torch.float64, requires_grad=True)
        noise = noise_seed(seed, rows.state, number)
        boxes = np.ascontiguousarray(frames.boxes[batch])
        _, v = run_segment(
            x0, v0, c, topology=rows.topology, boxes=torch.from_numpy(boxes), inverse_mass=rows.inverse_mass,
            r_min=grid.r_min, cutoff=grid.cutoff, timestep=timestep, steps=(lags - 1) * stride, frame_every=stride,
            integrator=LangevinMiddle(rows.state.temperature, log_friction.exp(), noise),
            forces=None if further is None else further.in_boxes(boxes),
        )  # fmt: skip
        curve = velocity_autocorrelation(torch.cat([v0[:, None], v], dim=1), lags, normalised=True).cpu()
        parts = [torch.autograd.grad(curve @ w, (log_friction, c), retain_graph=True) for w in vectors]
        responses.append((vectors.T @ torch.stack([friction for friction, _ in parts])).numpy())
        by_table.append((vectors.T @ torch.stack([table.flatten() for _, table in parts])).numpy())
    return np.array(responses), np.array(by_table)
