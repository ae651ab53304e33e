"""A second opinion on the error bars: the blocks of every sampling drawn anew (B. Efron, Ann. Statist. 7, 1 (1979);
of blocks: H. R. Künsch, Ann. Statist. 17, 1217 (1989))."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffpair.fit.iterate.live_state import Known, LiveState
from diffpair.updates import Memory
from diffpair.updates.linear_model import LinearModel

Array = NDArray[np.float64]
REPLICAS = 100  # know a standard deviation to 7 %, 1 / sqrt(2 * 100)


def bootstrap(
    model: LinearModel, states: list[LiveState], known: list[Known], seed: int = 1
) -> tuple[list[Array], list[Array]] | None:
    """How the tables scatter where the blocks of all samplings are drawn with replacement, and how they should.

    Every replica has averages and Jacobians of its own; what the linear model makes of them is taken to first order in
    their deviations, at its own amplitude of the prior and noise of the target. The noise of the target is in neither
    of the two results, nor is what the prior leaves open: both stay as they are when frames are drawn anew.

    Args:
        known: what the model was made of, for each state.

    Returns: per variant, deviations of the table [REPLICAS, npairs * (knots + 2)] in kJ/mol, and a factor F [npairs *
    (knots + 2), m] of the covariance F F^T that the band takes for the same noise; None where the frames of an
    observation are not there, as of a fit that was resumed.
    """
    if not all(each.complete for each in known):
        return None
    rng = np.random.default_rng(seed)
    _, steps = model.change()
    tables = model.tables

    def residuals(found: list[Memory]) -> Array:
        """Of all states, where the model's last step ends."""
        parts = []
        for live, memory in zip(states, found, strict=True):
            residual, _, jacobian = memory.pooled(tables[live.variant])
            parts.append(residual + jacobian @ steps[live.variant])
        return np.concatenate(parts)

    present = residuals([each.memory for each in known])
    drawn = [
        residuals([_drawn(live, each, rng) for live, each in zip(states, known, strict=True)]) for _ in range(REPLICAS)
    ]
    return model.response(np.array(drawn) - present), model.sampling_factors()


def _drawn(live: LiveState, known: Known, rng: np.random.Generator) -> Memory:
    """The state's memory, had every sampling found other blocks."""
    observations = []
    for observation, blocks in zip(known.memory.observations, known.blocks, strict=True):
        count = len(blocks.counts)
        mean, jacobian = blocks.drawn(rng.integers(count, size=count), live.state.beta)
        observations.append(replace(observation, residual=mean - live.rows.target, jacobian=jacobian))
    return Memory(observations, known.memory.theory, known.memory.untold)
