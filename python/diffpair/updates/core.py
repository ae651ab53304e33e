"""Where no particles are to be, the potential continues smoothly and repulsively.

Below the first sampled distance the data say nothing of U. A fit that is far from its target may also sample distances
that are empty in the target. U has to rise there by many kT, which a linear step does not tell: g goes as exp(-U / kT),
and where few pairs are left the noise of J may ask for a well. Particles would fall into it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffpair.potentials.base import TableGrid
from diffpair.targets.sampled import CORE, neighbours_from
from diffpair.updates.base import RdfView

Array = NDArray[np.float64]
POWER = 12  # of the continuation, as of Lennard-Jones
INNERMOST = 0.3  # contact distances, where r^-12 is 2e6 times U at contact: nearer the core stays as it is there


def continue_core(
    coefficients: Array, weights: Array, grid: TableGrid, kT: float, contact: Array, begin: Array | None = None
) -> Array:
    """A table whose coefficients below the first known one are replaced by a power law.

    Known is what is sampled, and not below the target's first neighbours.

    U(r) = U_0 + F_0 r_0 / p [(r_0 / r)^p - 1], p = 12, goes through the first known coefficient, at r_0, and the
    second one after it; F_0 is at least kT / contact: no kink, and never attractive in the core.

    Args:
        coefficients: [npairs, knots + 2] in kJ/mol. weights: mean sums over pairs of B_k(r) per frame, same shape.
        grid: knots. kT: kJ/mol. contact: contact distance per pair of types, nm. begin: where the targets' neighbours
            begin, per pair of types, nm; see `first_neighbours`.
    """
    result = coefficients.copy()
    r = grid.centres().numpy()
    begin = np.zeros(len(result)) if begin is None else begin
    for row, known, reach, near in zip(result, sampled_coefficients(weights, grid), contact, begin, strict=True):
        sampled = np.flatnonzero(known & (r >= near))
        if not len(sampled) or sampled[0] < 1 or sampled[0] + 2 >= len(row):
            continue
        first = int(sampled[0])
        rise = (row[first] - row[first + 2]) / (1 - (r[first] / r[first + 2]) ** POWER)
        force = max(rise * POWER / r[first], kT / reach)
        row[:first] = power_law(np.maximum(r[:first], INNERMOST * reach), r[first], row[first], force)
    return result


def first_neighbours(pairs: int, rdfs: Sequence[RdfView]) -> Array:
    """Where the neighbours of the targets begin, the nearest of all states, per pair of types, nm; 0 where that is not
    known: without a target, or with one that is cut off there."""
    begin = np.full(pairs, np.inf)
    for rdf in rdfs:
        near = neighbours_from(rdf.r, rdf.target)
        begin[rdf.pair] = min(begin[rdf.pair], near if near > rdf.r[0] else 0.0)
    return np.where(np.isfinite(begin), begin, 0.0)


def sampled_coefficients(weights: Array, grid: TableGrid) -> NDArray[np.bool_]:
    """Which coefficients act at distances that are sampled, weights: see above. Never the last three."""
    r = grid.centres().numpy()
    density = np.where(r > 0, weights / np.maximum(r, 1e-9) ** 2, 0.0)[:, :-3]  # as g(r)
    known = density > CORE * density.max(axis=1, initial=0.0, keepdims=True)
    return np.pad(known, ((0, 0), (0, 3)))


def power_law(r: Array, r0: float, energy: float, force: float) -> Array:
    """U(r) with U(r0) = energy and -U'(r0) = force that goes as r^-12."""
    return energy + force * r0 / POWER * ((r0 / r) ** POWER - 1)
