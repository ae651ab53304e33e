"""U(r) and U(x) as curves: where they are drawn, and from which zero."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from diffpair.bonded import BondedTerm, HarmonicTerm, TabulatedTerm
from diffpair.tables import PairTable
from diffpair.targets.sampled import LEAST

Array = NDArray[np.float64]
POINTS = 200
REACH = 8.0  # kJ/mol, to which a harmonic term without a band is drawn: three kT and more
Reached = dict[frozenset[str], float]


def reached_by(rdfs: Iterable[tuple[tuple[str, ...], Array, Array]], cutoff: float) -> Reached:
    """Per pair the distance down to which production has been: further in, the potential is an extrapolation.

    rdfs: types, r and g of production.
    """
    reached: Reached = {}
    for types, r, g in rdfs:
        pair, nearest = frozenset(types), float(r[np.argmax(g > LEAST)])
        reached[pair] = min(nearest, 0.99 * cutoff, reached.get(pair, nearest))
    return reached


def learned_rows(table: PairTable) -> list[int]:
    """Rows of the pairs that are learned: the others are 0; all where all are."""
    shown = np.any(table.coefficients != 0, axis=1)
    return [row for row in range(len(table.pairs)) if shown[row] or not shown.any()]


def seen_part(r: Array, energy: Array, pair: frozenset[str], reached: Reached, r_min: float) -> Array:
    """U where production has been."""
    return energy[r >= reached.get(pair, max(reached.values(), default=r_min))]


def term_range(term: BondedTerm) -> Array:
    """Where a term without a band is drawn."""
    if isinstance(term, TabulatedTerm):
        return np.linspace(term.low, term.high, POINTS)
    assert isinstance(term, HarmonicTerm)
    return term.x0 + np.sqrt(2 * REACH / term.k) * np.linspace(-1, 1, POINTS)


def from_zero(term: BondedTerm, x: Array) -> Array:
    """U with its lowest value as 0."""
    energy = term.energy(x)
    return np.asarray(energy - energy.min())
