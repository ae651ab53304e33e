"""From a wanted table back to the parameters that make it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.updates.basis import STEEP
from diffpair.updates.parameter_space import ParameterSpace, factor_times, times_factor

Array = NDArray[np.float64]
STALLED = 0.98  # a step that leaves more of the error than this is the last one


def pull_back(space: ParameterSpace, wanted: list[Array], *, steps: int = 5, tolerance: float = 2e-3) -> float:
    """Move theta until its tables are the wanted ones, by Levenberg-Marquardt in the prior's metric.

    Errors count in kT, those in the core relative to U / STEEP, those of pairs that are not learned not at all. Of all
    theta that give the tables the nearest one is taken (the prior's factor L makes the linear problem
    min |L^-1 dtheta|). Bonded terms are their own values and need no search.

    Args:
        wanted: a table per variant, flat [columns] in kJ/mol, or without the bonded terms, which then stay.
        steps: at most so many. tolerance: of the root mean square error in kT.

    Returns: the root mean square error in kT that is left.
    """
    bonded = wanted[0][space.pairs.stop :]
    if not len(bonded):
        bonded = space.bonded.get()
    space.bonded.set(bonded)
    if space.is_spline:  # its table is its parameters
        of_pairs = wanted[0][space.pairs][space.learned].reshape(space.potential.npairs, -1)[:, :-3].ravel()
        space.set(np.concatenate([of_pairs, bonded]))
        return 0.0
    wanted = [c[space.pairs][space.learned] for c in wanted]
    weights = [1.0 / (space.kT + np.abs(c) / STEEP) for c in wanted]

    def misfit() -> Array:
        try:
            tables = [c[space.pairs][space.learned] for c in space.tables()]
        except DiffPairError:  # not finite
            return np.full(sum(map(len, wanted)), np.inf)
        return np.concatenate([w * (c - now) for w, c, now in zip(weights, wanted, tables, strict=True)])

    left = misfit()
    damping = 1e-4
    for _ in range(steps):
        if _rms(left) <= tolerance:
            break
        jacobians = space.jacobians()
        blocks = space.factors(jacobians)
        jacobians = [j[space.pairs][space.learned] for j in jacobians]
        scaled = times_factor(np.concatenate([w[:, None] * j for w, j in zip(weights, jacobians, strict=True)]), blocks)
        values, vectors = np.linalg.eigh(scaled @ scaled.T)
        values, projected, theta = np.maximum(values, 0.0), vectors.T @ left, space.get()
        while damping < 1e8:
            step = scaled.T @ (vectors @ (projected / (values + damping * values[-1] + 1e-300)))
            space.set(theta + factor_times(blocks, step))
            after = misfit()
            if _rms(after) < _rms(left):
                break
            damping *= 10
        else:
            space.set(theta)
            break
        stalled = _rms(after) > STALLED * _rms(left)
        left, damping = after, max(0.1 * damping, 1e-12)
        if stalled:
            break
    return _rms(left)


def _rms(values: Array) -> float:
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean(values**2)))
