"""The rows of the linear model: what is compared with the targets, and its noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.targets.sampled import CORE
from diffpair.updates.base import StateView

Array = NDArray[np.float64]


def logarithmic(state: StateView, residual: Array) -> tuple[Array, Array]:
    """Residual with ln g in the place of g, in units of the target's g, and the factor of each row's derivative; of
    distributions of bonded terms likewise.

    g of a core goes as exp(-U / kT), and ln g nearly linearly where g itself is far from it. Both [rows].
    """
    scale, result = np.ones(len(residual)), residual.copy()
    for where, target in [*((rdf.where, rdf.target) for rdf in state.rdfs), *state.distributions]:
        least = CORE * float(target.max())  # what is below it is linear in g itself
        wanted, now = np.maximum(target, 0.0) + least, np.maximum(target + residual[where], 0.0) + least
        scale[where], result[where] = wanted / now, wanted * np.log(now / wanted)
    return result, scale


def target_noise(state: StateView, table: Array, damping: float) -> tuple[Array, Array, Array]:
    """Covariance of the residual's noise as far as it is known, that of a target like one run of the fit where the
    target's errors are not known, and that of one run."""
    pooled, single = state.memory.noise(table)
    spread = np.sqrt(np.diag(single))
    error = np.zeros_like(spread) if state.target_error is None else state.target_error
    given = error > 0
    scale = np.divide(error, spread, out=np.zeros_like(spread), where=given & (spread > 0))
    silent = np.diag(np.where(given & (spread == 0), error, 0.0) ** 2)
    known = damping * (pooled + scale[:, None] * single * scale + silent + floor_of(state, len(pooled)))
    for rdf in state.rdfs:  # a common factor moves all bins of g together
        known[rdf.where, rdf.where] += rdf.scale_error**2 * np.outer(rdf.target, rdf.target)
    return known, damping * np.where(given[:, None] | given, 0.0, single), single


def floor_of(state: StateView, rows: int) -> Array:
    """Covariance of the noise that is always assumed, [rows, rows]."""
    return np.zeros((rows, rows)) if state.floor is None else np.diag(state.floor**2)
