"""Refuses a table before it is run: one that would pull particles into each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.tables import PairTable
from diffpair.updates.parameter_space import CORE

Array = NDArray[np.float64]
BARRIER = 10.0  # kT: what particles hardly ever cross, e^-10 = 5e-5
DEEPER = 1.0  # kT below the well outside: less is within what a step may do to U, and the fluid is still one


def attractive_core(table: PairTable, contact: Array, kT: float) -> str:
    """Why a table is not to be run; empty if its core holds.

    A core fails where U, going inward from the contact distance, falls below its minimum outside, or where the linear
    continuation below the table's first knot attracts, without a barrier in front that thermal motion cannot cross.

    Args:
        contact: contact distance per pair of types, nm, in the table's order. kT: kJ/mol.
    """
    for (a, b), reach in zip(table.pairs, contact, strict=True):
        if table.r_min >= CORE * reach:
            continue
        r = np.linspace(reach, table.r_min, 200)
        energy = table.energy(r, a, b)
        outside = float(table.energy(np.linspace(reach, table.cutoff, 400), a, b).min())
        crossed = np.maximum.accumulate(energy) - energy[0] < BARRIER * kT
        core = (r < CORE * reach) & crossed
        fallen = core & (energy < outside - DEEPER * kT)
        if fallen.any():
            return f"U of {a}-{b} turns attractive in the core: {energy[fallen][0]:.3g} kJ/mol at {r[fallen][0]:.3g} nm"
        if core[-1] and float(table.force(table.r_min, a, b)) < 0:
            return f"U of {a}-{b} turns attractive in the core: it falls toward r = 0 below {table.r_min:.3g} nm"
    return ""
