"""What the pressure would be if g(r) were the target's: known before anything is sampled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.gradients import TargetRows
from diffpair.potentials import TableGrid
from diffpair.tables import pair_row, type_pairs
from diffpair.updates.basis import spline_basis

Array = NDArray[np.float64]
COVERED = 0.95  # of the cutoff: a target that ends beyond goes on as it ended; a table has hardly a slope there


def virial_row(rows: TargetRows, grid: TableGrid) -> Array | None:
    """W, [npairs * (knots + 2)], such that the pressure of a table c is rho kT (1 + W c) if g(r) is the targets':

    P = rho kT - 1/(3 V) sum over pairs of types of N_pairs / V integral 4 pi r^3 g(r) U'(r) dr

    (D. Frenkel, B. Smit, Understanding Molecular Simulation, 2002, eq. 4.4.12). None where the targets do not tell
    all of it: a pair of types has none, or its target ends before the cutoff.
    """
    state, width = rows.state, grid.knots + 2
    counts, volume = np.bincount(state.types, minlength=len(state.type_names)), float(np.linalg.det(state.box))
    result = np.zeros((len(type_pairs(state.type_names)), width))
    known = np.zeros(len(result), dtype=bool)
    for target in state.rdfs:
        a, b = state.pair_types(target.pair)
        row = pair_row(a, b, len(counts))
        if known[row] or target.r_max < COVERED * grid.cutoff:
            continue
        known[row] = True
        pairs = counts[a] * (counts[a] - 1) / 2 if a == b else counts[a] * counts[b]
        r = np.linspace(max(grid.r_min, target.edges[0]), grid.cutoff, 40 * grid.knots)
        step = 1e-3 * grid.spacing
        slope = (spline_basis(grid, r + step) - spline_basis(grid, r - step)) / (2 * step)
        integrand = 4 * np.pi * r**3 * np.interp(r, target.r, target.g)
        result[row] = -pairs / (3 * volume**2) * np.trapezoid(integrand[:, None] * slope, r, axis=0)
    if not known.all():
        return None
    return np.asarray(result.ravel() * state.beta * volume / len(state.types))
