"""Bonded terms among the parameters of a fit, and how far their values may be expected to move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.bonded import BondedTerm, HarmonicTerm, TabulatedTerm
from diffpair.updates.basis import matern

Array = NDArray[np.float64]
SMOOTH_OVER = 0.7  # correlation length of a prior, in standard deviations of the coordinate: about the width of a well
HARMONIC = 0.5  # by so much, relatively, a force constant may be off, and the minimum in standard deviations
SHOWN = 61  # points of an error band
REACH = 2.0  # standard deviations within which a change of U counts as a step


@dataclass(frozen=True)
class StartingTerm:
    """A term and where its coordinate is at work: mean and standard deviation, nm or rad."""

    term: BondedTerm
    centre: float
    spread: float

    def prior(self, kT: float) -> Array:
        """Factor L of the prior covariance L L^T of its values, [n, m]: U may be off by kT, smoothly."""
        term = self.term
        if isinstance(term, HarmonicTerm):
            return np.array([[HARMONIC * term.k, 0.0], [HARMONIC * term.k * term.x0, HARMONIC * self.spread * term.k]])
        assert isinstance(term, TabulatedTerm)
        x = term.nodes
        apart = np.abs(x[:, None] - x[None])
        if term.periodic:
            apart = 2 * np.sin(0.5 * apart)  # the chord: a covariance on a circle
        values, vectors = np.linalg.eigh(matern(apart, kT, SMOOTH_OVER * self.spread))
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))

    def expected_change(self, kT: float) -> Array:
        """What that expects of every value, [n]."""
        return np.asarray(np.sqrt((self.prior(kT) ** 2).sum(1)))

    def shown(self) -> Array:
        """Where an error band is given, rising, [m], nm or rad."""
        term = self.term
        if isinstance(term, TabulatedTerm):
            return np.linspace(term.low, term.high, SHOWN)
        return self.centre + self.spread * np.linspace(-3, 3, SHOWN)

    def probe(self) -> Array:
        """phi_k, [m, n], where the coordinate mostly is, less their mean: a constant in U is no step."""
        term = self.term
        if isinstance(term, TabulatedTerm) and term.periodic:
            x = term.nodes
        else:
            x = self.centre + self.spread * np.linspace(-REACH, REACH, 9)
        if isinstance(term, TabulatedTerm):
            x = np.clip(x, term.low, term.high)
        basis = term.basis(x)
        return np.asarray(basis - basis.mean(0))


class BondedColumns:
    """The values of the terms that are learned, one term after another: the last columns of a fit.

    Args:
        start: all terms, those that are fixed included.
    """

    def __init__(self, start: Sequence[StartingTerm] = ()) -> None:
        self.start = tuple(start)
        self.terms = tuple(one.term for one in start)
        self.learned = [one for one in start if not one.term.fixed]
        ends = np.cumsum([0, *(len(one.term.values) for one in self.learned)])
        self.slices = [slice(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        self.size = int(ends[-1])

    def get(self) -> Array:
        """All values, [size]."""
        learned = [term.values for term in self.terms if not term.fixed]
        return np.concatenate([np.zeros(0), *learned])

    def set(self, values: Array) -> None:
        """Other values [size]; those of tables are confining. Raises DiffPairError where a form does not take them."""
        places = iter(self.slices)
        self.terms = tuple(t if t.fixed else t.with_values(values[next(places)]).confining() for t in self.terms)

    def expected_change(self, kT: float) -> Array:
        """See StartingTerm, [size]."""
        return np.concatenate([np.zeros(0), *(one.expected_change(kT) for one in self.learned)])

    def probe(self) -> Array:
        """Of all terms, [m, size]."""
        result = [np.zeros((0, self.size))]
        for one, where in zip(self.learned, self.slices, strict=True):
            rows = one.probe()
            wide = np.zeros((len(rows), self.size))
            wide[:, where] = rows
            result.append(wide)
        return np.concatenate(result)
