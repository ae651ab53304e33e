"""Below the first sampled distance the data say nothing: there the potential continues smoothly and repulsively."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.potentials.base import TableGrid
from diffpair.targets.sampled import CORE

Array = NDArray[np.float64]
POWER = 12  # of the continuation, as of Lennard-Jones
INNERMOST = 0.3  # contact distances, where r^-12 is 2e6 times U at contact: nearer the core stays as it is there


def continue_core(coefficients: Array, weights: Array, grid: TableGrid, kT: float, contact: Array) -> Array:
    """A table whose coefficients below the first sampled one are replaced by a power law.

    U(r) = U_0 + F_0 r_0 / p [(r_0 / r)^p - 1], p = 12, goes through the first sampled coefficient, at r_0, and the
    second one after it; F_0 is at least kT / contact: no kink, and never attractive in the core.

    Args:
        coefficients: [npairs, knots + 2] in kJ/mol. weights: mean sums over pairs of B_k(r) per frame, same shape.
        grid: knots. kT: kJ/mol. contact: contact distance per pair of types, nm.
    """
    result = coefficients.copy()
    r = grid.centres().numpy()
    for row, known, reach in zip(result, sampled_coefficients(weights, grid), contact, strict=True):
        sampled = np.flatnonzero(known)
        if not len(sampled) or sampled[0] < 1 or sampled[0] + 2 >= len(row):
            continue
        first = int(sampled[0])
        rise = (row[first] - row[first + 2]) / (1 - (r[first] / r[first + 2]) ** POWER)
        force = max(rise * POWER / r[first], kT / reach)
        row[:first] = power_law(np.maximum(r[:first], INNERMOST * reach), r[first], row[first], force)
    return result


def sampled_coefficients(weights: Array, grid: TableGrid) -> NDArray[np.bool_]:
    """Which coefficients act at distances that are sampled, weights: see above. Never the last three."""
    r = grid.centres().numpy()
    density = np.where(r > 0, weights / np.maximum(r, 1e-9) ** 2, 0.0)[:, :-3]  # as g(r)
    known = density > CORE * density.max(axis=1, initial=0.0, keepdims=True)
    return np.pad(known, ((0, 0), (0, 3)))


def power_law(r: Array, r0: float, energy: float, force: float) -> Array:
    """U(r) with U(r0) = energy and -U'(r0) = force that goes as r^-12."""
    return energy + force * r0 / POWER * ((r0 / r) ** POWER - 1)
