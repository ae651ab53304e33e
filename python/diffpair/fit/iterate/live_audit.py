"""The audit of a live state: samples it, then measures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from diffpair.audit.measure import LENGTHS, StateAudit, audit_state
from diffpair.engines.fastest import platform_of
from diffpair.engines.statistics import BLOCKS
from diffpair.errors import DiffPairError
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.record.progress import FitProgress
from diffpair.gradients import MakeIntegrator, verlet
from diffpair.join import timestep_of


def audit_live(
    live: LiveState,
    *,
    frames: int,
    segments: int,
    every: int,
    lengths: Iterable[int] = LENGTHS,
    stop_at_chaos: bool = False,
    integrator: MakeIntegrator = verlet,
    seed: int = 1,
    progress: FitProgress,
) -> StateAudit:
    """Audit a state, which is melted and has its table, with frames of its own.

    Args:
        frames: for the equilibrium gradient, taken as often as the config's sampling takes them. segments: of each
            length. every: steps between a segment's frames. lengths, stop_at_chaos, integrator, seed: see
            audit_state.

    Raises: Exploded or DiffPairError.
    """
    segments = min(segments, frames)
    if segments < 2 or frames < BLOCKS:
        raise DiffPairError(f"an audit needs {BLOCKS} or more frames and 2 or more segments")
    name, sampling, lengths = live.state.name, live.sampling, list(lengths)
    progress.begin(f"sampling {name}", sampling.equilibration + frames * sampling.every)
    starts = np.unique(np.linspace(0, frames - 1, segments).round().astype(int))
    live.perform([live.audit_task(frames, starts)], progress.advance)
    found = live.sampled
    progress.begin(f"segments of {name}", segments * sum(lengths))
    return audit_state(
        live.rows,
        live.table.coefficients,
        live.grid,
        found.sums,
        found.whole(len(starts)),
        timestep=timestep_of(sampling, live.state),
        every=every,
        lengths=lengths,
        stop_at_chaos=stop_at_chaos,
        integrator=integrator,
        seed=seed,
        platform=platform_of(sampling.platform),
        progress=progress.advance,
    )
