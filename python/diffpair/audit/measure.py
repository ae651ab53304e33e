"""How far adjoint gradients of segments of each length agree with the equilibrium gradient, in one state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.engines.frames import Frames
from diffpair.engines.statistics import BLOCKS, block_error
from diffpair.errors import DiffPairError
from diffpair.gradients import (
    CHAOS,
    Chaos,
    DiscreteAdjoint,
    Fluctuation,
    FrameSums,
    MakeIntegrator,
    TargetRows,
    verlet,
)
from diffpair.potentials import TableGrid

Array = NDArray[np.float64]
LENGTHS = (10, 25, 50, 100, 200, 400)
PROBE = 3  # segments whose median tells that a length is chaos
END = 3  # coefficients that are zero at the cutoff: no potential moves them


@dataclass(frozen=True)
class LengthAudit:
    """Segments of one length. a: the equilibrium gradient, b: that of one segment, <b>: its mean over the segments.

    steps: the length. segments: how many there were. cosine: of <b> and a. error: its standard error from the segments'
    scatter. ratio: |<b>| / |a|. noise: standard deviation of b over |<b>|. growth: of the adjoint, median over the
    segments (see DiscreteAdjoint). along: <b> . a / |a|. signal: |<b>|^2 without what noise adds to it. scatter: sum of
    the variances of b.
    """

    steps: int
    segments: int
    cosine: float
    error: float
    ratio: float
    noise: float
    growth: float
    along: float
    signal: float
    scatter: float

    @property
    def chaotic(self) -> bool:
        return not self.growth <= CHAOS

    def expected_cosine(self, segments: float) -> float:
        """Cosine with a of the mean over so many segments, noise included; it may be a fraction of a segment."""
        size = max(self.signal, 0.0) + self.scatter / segments
        return min(1.0, self.along / np.sqrt(size)) if size > 0 else 0.0


@dataclass(frozen=True)
class StateAudit:
    """All lengths of one state.

    frames: that the equilibrium gradient comes from. noise: its standard error over its norm. mae: mean |g - target| of
    the potential that was audited. unusable: the length whose gradient was no number any more, if one was reached.
    """

    state: str
    frames: int
    noise: float
    mae: float
    lengths: list[LengthAudit]
    unusable: int | None = None


def audit_state(
    rows: TargetRows,
    coefficients: Array,
    grid: TableGrid,
    sums: FrameSums,
    starts: Frames,
    *,
    timestep: float,
    every: int,
    lengths: Iterable[int] = LENGTHS,
    stop_at_chaos: bool = False,
    integrator: MakeIntegrator = verlet,
    seed: int = 1,
    platform: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> StateAudit:
    """Measure one state.

    The cosine and norm ratio are free of the bias that the noise of a gives them: |a|^2 is taken without the squared
    standard errors.

    Args:
        rows: the state and its targets. coefficients: the table that made the frames, [npairs, knots + 2], on `grid`.
        sums: of all its frames. starts: those that segments start from, one segment each; two or more.
        timestep: ps. every: steps between frames. lengths: multiples of `every`, in order. stop_at_chaos: leave out
        what is longer than the first chaotic length. integrator, seed, platform: see DiscreteAdjoint; every segment has
        noise of its own. progress: called with the number of steps of each segment done.

    Raises: DiffPairError for a state whose segments cannot be run, or too few frames.
    """
    if len(starts) < 2:
        raise DiffPairError(f"an audit needs 2 or more segments for its noise, not {len(starts)}")
    residual = sums.mean - rows.target
    weights = residual / len(rows)
    free = np.arange(coefficients.size).reshape(coefficients.shape)[:, :-END].ravel()
    if len(sums.observables) < BLOCKS:
        raise DiffPairError(f"an audit needs {BLOCKS} or more frames for its error bars, not {len(sums.observables)}")
    parts = Fluctuation().contributions(sums, weights, rows.state.beta)[:, free]
    reference, doubt = parts.mean(0), float(np.sum(block_error(parts) ** 2))
    norm = float(np.sqrt(max(reference @ reference - doubt, 0.01 * (reference @ reference))))
    table, w = torch.from_numpy(coefficients.copy()), torch.from_numpy(weights)
    results: list[LengthAudit] = []
    unusable = None
    for steps in lengths:
        method = DiscreteAdjoint(
            1, steps, every, timestep=timestep, max_growth=np.inf, integrator=integrator, seed=seed, platform=platform
        )
        gradients, growths = [], []
        try:
            for i in range(len(starts)):
                one = Frames(*(part[i : i + 1] for part in vars(starts).values()))
                result = method.measure(rows, table, grid, one, w, draw=i)
                gradients.append(result.gradient.numpy().ravel()[free])
                growths.append(float(result.growth[0]))
                if progress is not None:
                    progress(steps)
                if stop_at_chaos and len(growths) == PROBE and np.median(growths) > CHAOS:
                    break  # sure enough, and the longest ones are the dearest
        except Chaos:
            unusable = steps
            break
        results.append(_compare(steps, np.array(gradients), growths, reference, norm))
        if stop_at_chaos and results[-1].chaotic:
            break
    noise = float(np.sqrt(doubt)) / norm if norm > 0 else float("inf")
    mae = float(np.abs(residual[: len(rows.rdf)]).mean())
    return StateAudit(rows.state.name, len(sums.observables), noise, mae, results, unusable)


def _compare(steps: int, b: Array, growths: list[float], a: Array, norm: float) -> LengthAudit:
    """Gradients b [segments, n] of one length with the equilibrium gradient a [n], whose true norm is `norm`."""
    tiny = np.finfo(float).tiny
    direction = a / max(norm, tiny)
    count, mean = len(b), b.mean(0)
    size, scatter = float(np.linalg.norm(mean)), float(b.var(0, ddof=1).sum())
    without = (count * mean - b) / (count - 1)  # mean without each segment: the jackknife
    cosines = without @ direction / np.maximum(np.linalg.norm(without, axis=1), tiny)
    return LengthAudit(
        steps=steps,
        segments=count,
        cosine=float(np.clip(mean @ direction / max(size, tiny), -1, 1)),
        error=float(np.sqrt((count - 1) * np.mean((cosines - cosines.mean()) ** 2))),
        ratio=size / max(norm, tiny),
        noise=float(np.sqrt(scatter)) / max(size, tiny),
        growth=float(np.median(growths)),
        along=float(mean @ direction),
        signal=size**2 - scatter / count,
        scatter=scatter,
    )


def lengths_for(every: int) -> list[int]:
    """The usual lengths, as multiples of `every`."""
    return sorted({max(1, round(steps / every)) * every for steps in LENGTHS})
