"""Several updates per sampling: the frames are reweighted to the present table for as long as enough of them count."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from diffpair.fit.iterate.live_state import LiveState
from diffpair.gradients import FrameSums, ReweightedFrames, Reweighting, TooFewFrames
from diffpair.updates import ParameterSpace, Step, Update
from diffpair.updates.gauss_newton import largest_change

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Walk:
    """The updates between two samplings.

    step: all of them together. updates: how many. effective: where frames were reweighted, per state, the effective
    number of its frames under the table at the end, as a part of all frames.
    """

    step: Step
    updates: int = 1
    effective: dict[str, float] = field(default_factory=dict)


def walk(
    method: Reweighting,
    update: Update,
    space: ParameterSpace,
    states: list[LiveState],
    sums: list[FrameSums],
    noise: float,
) -> Walk:
    """Update again and again with the gradient of the reweighted averages.

    Ends after `method.updates`, when a state's frames no longer carry the present table (they are refused), or when the
    reweighted g is as near to the target as the noise of the frames lets it be known: what lies below would fit that
    noise.

    Args:
        update: one that needs a gradient. space: at the table that made the frames. sums: of each state's frames.
        noise: mean |error of g| of the frames.
    """
    sampled = space.tables()
    views = [live.view() for live in states]
    updates, notes = 0, []
    while updates < method.updates:
        tables, gradients, residuals = space.tables(), [], []
        try:
            for live, frames in zip(states, sums, strict=True):
                seen = method.reweight(live.rows, frames, tables[live.variant], sampled[live.variant])
                residuals.append(seen.mean - live.rows.target)
                gradients.append(seen.gradient(residuals[-1] / len(live.rows)))
        except TooFewFrames:
            break
        structure = [r[: len(live.rows.rdf)] for r, live in zip(residuals, states, strict=True)]
        if updates and np.mean(np.abs(np.concatenate(structure))) < noise:
            break
        step = update.step(space, [replace(v, gradient=g) for v, g in zip(views, gradients, strict=True)])
        updates += 1
        if step.note:
            notes.append(step.note)
            break
    changes = [now - before for now, before in zip(space.tables(), sampled, strict=True)]
    effective = {
        live.state.name: ReweightedFrames.of(frames, changes[live.variant], live.state.beta).effective
        for live, frames in zip(states, sums, strict=True)
    }
    step = Step(largest_change(views, changes), 0.0, float("nan"), float("nan"), "; ".join(notes))
    return Walk(step, updates, effective)
