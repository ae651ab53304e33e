"""Production of the learned potential, and of an earlier one where that fails.

A fit sees short samplings: a potential on the verge of another phase, or one that explodes now and then, may look good
in all of them and fail in the long run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.engines import Exploded, ProductionResult
from diffpair.engines.production import RdfResult
from diffpair.fit.record.iteration import Iteration
from diffpair.updates import ParameterSpace

Array = NDArray[np.float64]
FAR_WORSE = 2.0  # production's mean |g - target| over that of the fit: the fit's best is the luckiest of its samplings
SIGMAS = 3.0  # of production's noise, on top
ALIKE, MODEST = 1.5, 2.5  # an iterate's residual over the best one's: within what samplings scatter, and not far worse
Produce = Callable[[bool], list[ProductionResult]]


@dataclass(frozen=True)
class Outcome:
    """Results of production, and what happened on the way, as sentences."""

    results: list[ProductionResult]
    notes: list[str]


def produce_or_go_back(
    space: ParameterSpace, tried: list[Iteration], produce: Produce, changed: Callable[[list[str]], None]
) -> Outcome:
    """Production with the present potential; with an earlier one where that explodes or is far worse than in the fit.

    Tried then: the first iterate that the fit found about as good as its best, which has moved the least from the
    start, the best one, and the first that is not far worse. The potential is left at the one whose production was
    best.

    Args:
        space: the parameters, set to the last potential. tried: the accepted iterations of the fit, in their order.
        produce: production with the present potential; with True from new initial structures, since the simulations may
            have left the phase that is wanted. changed: called with all notes once the potential is another one.

    Raises:
        Exploded: with every potential.
    """
    results, failure = _attempt(produce, False)
    if not tried:
        if failure is not None:
            raise failure
        return Outcome(results, [])
    best = min(one.mae for one in tried)
    kept, theta, notes = results, space.get(), []
    said = _words(results, failure, best)
    for one in _candidates(tried, theta):
        if _as_good(kept, best):
            break
        space.set(one.theta)
        found, error = _attempt(produce, True)
        if found and (not kept or _mae(found) < _mae(kept)):
            kept, theta = found, one.theta
            notes = [f"{said}; that which iteration {one.number} sampled is kept"]
        failure = error or failure
    space.set(theta)
    if notes:
        changed(notes)
    elif kept:
        if _as_good(kept, best):
            return Outcome(kept, [])
        notes = [f"{said}; those of earlier iterations are no better"]
    else:
        assert failure is not None
        changed([f"{said}; so were those of earlier iterations"])
        raise failure
    return Outcome(kept, notes)


def _attempt(produce: Produce, anew: bool) -> tuple[list[ProductionResult], Exploded | None]:
    try:
        return produce(anew), None
    except Exploded as error:
        return [], error


def _words(results: list[ProductionResult], failure: Exploded | None, mae: float) -> str:
    if not results:
        return f"the last potential was unstable in production: {failure}"
    return (
        f"the last potential was far worse in production than in the fit: mean |g - target| {_mae(results):.4f} "
        f"after {mae:.4f}, as of a fluid that goes over to another phase"
    )


def _candidates(tried: list[Iteration], present: Array) -> list[Iteration]:
    """The first iterate that is about as good as the best one, the best one, and one before both; never the present."""
    best = min(tried, key=lambda one: one.mae)
    first, earlier = (next(one for one in tried if one.mae <= factor * best.mae) for factor in (ALIKE, MODEST))
    chosen = {one.number: one for one in (first, best, earlier)}
    return [one for one in chosen.values() if not np.array_equal(one.theta, present)]


def _fitted(results: list[ProductionResult]) -> list[RdfResult]:
    return [rdf for result in results if not result.held_out for rdf in result.rdfs]


def _mae(results: list[ProductionResult]) -> float:
    """Mean over all bins of the fitted states."""
    return float(np.mean(np.concatenate([np.abs(rdf.g - rdf.g_target) for rdf in _fitted(results)])))


def _as_good(results: list[ProductionResult], best: float) -> bool:
    """Whether production bears out the mean |g - target| of the fit."""
    if not results:
        return False
    noise = [rdf.mae_noise for rdf in _fitted(results) if np.isfinite(rdf.mae_noise)]
    return _mae(results) <= FAR_WORSE * best + SIGMAS * max(noise, default=0.0)
