"""Is a target g(r) too high or too low as a whole? What the data say of a factor common to all of its bins.

Normalisation is the least certain part of a measured g(r), and of one from a box of another size. To make all of g a
little larger a potential would have to make the fluid nearly incompressible, or bring it near to separating. So a fit
that is not told pays for a per cent of g with whole units of kT in U.

With u the target, (1 + e) u instead of u, and e ~ N(0, s^2), the covariance S of y in LinearModel gains s^2 u u^T. By
the identities of Sherman, Morrison and Sylvester the logarithm of the evidence then grows by

    [s^2 (u S^-1 y)^2 / (1 + s^2 u S^-1 u) - ln(1 + s^2 u S^-1 u)] / 2,

and the mean of e is -s^2 u S^-1 y / (1 + s^2 u S^-1 u), its variance s^2 / (1 + s^2 u S^-1 u).

Where samplings are short, or the fit is far from its end, noise looks like a factor. So C is that of the error bands
here: what blocks do not show of the noise (`inflation`) is in it, and what the noise of J makes of the way left.
J holds near the present potential alone; whether that way changes g by less than the factor does is `settled`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.updates.base import StateView
from diffpair.updates.linear_model import LinearModel

Array = NDArray[np.float64]
EXPECTED = 0.02  # s where the target comes without a scale_error: what normalisations are usually off by


@dataclass(frozen=True)
class CommonFactor:
    """state, target: indices of the state and of its g(r). excess: e, how much too high the target is, as a part of it.
    error: its standard error. gain: of the evidence's logarithm where such a factor is admitted; infinite where the
    target's scale_error admits it anyway. settled: whether the fit is near enough to its end to tell."""

    state: int
    target: int
    excess: float
    error: float
    gain: float
    settled: bool


def common_factors(model: LinearModel) -> list[CommonFactor]:
    """One for every target g(r), each on its own, with the amplitude and the noise that are most probable then."""
    states = model.states
    owners = [(s, k) for s, state in enumerate(states) for k in range(len(state.rdfs))]
    if not owners:
        return []
    columns = np.column_stack([_bins(states, s, k, model.scales) for s, k in owners])
    given = [states[s].rdfs[k].scale_error for s, k in owners]
    left = [_change_left(model, s, k) for s, k in owners]
    inflation, extra = model.doubt()
    without, best = -np.inf, [(-np.inf, 0.0, 0.0)] * len(owners)
    for marginal, whitened, _ in model.marginals(columns, inflation, extra):
        without = max(without, float(marginal.log.max()))
        for index, (u, scale_error) in enumerate(zip(whitened.T, given, strict=True)):
            variance = (scale_error or EXPECTED) ** 2
            overlap, answer = marginal.product(u, u), marginal.product(u, marginal.data)
            if scale_error:  # already in S, and inflated with it
                variance *= inflation
                log, mean, rest = marginal.log, -variance * answer, variance * (1 - variance * overlap)
            else:
                more = 1 + variance * overlap
                log = marginal.log + 0.5 * (variance * answer**2 / more - np.log(more))
                mean, rest = -variance * answer / more, variance / more
            k = int(np.argmax(log))
            if log[k] > best[index][0]:
                best[index] = float(log[k]), float(mean[k]), float(np.sqrt(max(rest[k], 0.0)))
    return [
        CommonFactor(s, k, mean, error, np.inf if scale_error else log - without, change < abs(mean))
        for (s, k), scale_error, change, (log, mean, error) in zip(owners, given, left, best, strict=True)
    ]


def _change_left(model: LinearModel, state: int, target: int) -> float:
    """Mean |change| of a target's g on the way to the most probable potential, over the mean of g."""
    _, moved = model.change()
    view = model.states[state]
    rdf = view.rdfs[target]
    change = view.memory.jacobian()[rdf.where] @ moved[view.variant]
    return float(np.abs(change).mean() / np.abs(rdf.target).mean())


def _bins(states: list[StateView], state: int, target: int, scales: list[Array]) -> Array:
    """The target's g in the rows of all states, in the units of the model's rows; 0 in those of others."""
    parts = [np.zeros(len(scale)) for scale in scales]
    rdf = states[state].rdfs[target]
    parts[state][rdf.where] = scales[state][rdf.where] * rdf.target
    return np.concatenate(parts)
