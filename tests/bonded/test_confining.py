"""What a fit makes of a table holds molecules in it: beyond the ends U never falls."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.bonded import HarmonicTerm, TabulatedTerm
from diffpair.fit.start.bonded import invert, starting_terms
from diffpair.settings.bonded import Bonded
from diffpair.states import build_lattice
from diffpair.tables import PairTable
from diffpair.targets import Distribution
from diffpair.updates.bonded_prior import BondedColumns, StartingTerm

FALLING = [15.0, 18.0, 12.0, 5.0, 1.0, 0.0, 1.0, 5.0, 12.0, 11.0]  # outwards at both ends


def table(kind: str, low: float, high: float, wall: float = 0.0) -> TabulatedTerm:
    return TabulatedTerm(tuple(kind), FALLING, low=low, high=high, wall=wall)


@pytest.mark.parametrize(("kind", "low", "high"), [("AB", 0.2, 0.4), ("ABA", 1.4, 2.9)])
def test_lines_that_fall_are_made_flat(kind, low, high):
    """By the values at the ends alone, and once for all."""
    term = table(kind, low, high)
    made, apart = term.confining(), 0.1 * (high - low)
    outside = np.array([low - apart, low, high, high + apart])
    before, after = term.energy(outside), made.energy(outside)
    assert before[0] < before[1] - 1 and before[3] < before[2] - 1
    np.testing.assert_allclose(after[[0, 3]], after[[1, 2]], atol=1e-6)
    assert np.array_equal(made.values[1:-1], term.values[1:-1]) and np.all(made.values >= term.values)
    assert np.array_equal(made.confining().values, made.values), "a fit that is resumed has the same bits"


@pytest.mark.parametrize(("kind", "low", "high"), [("AB", 0.0, 0.4), ("ABA", 0.0, np.pi)])
def test_ends_that_nothing_is_beyond_stay(kind, low, high):
    made = table(kind, low, high).confining()
    assert made.values[0] == FALLING[0]
    assert (made.values[-1] == FALLING[-1]) == (kind == "ABA")


def test_tables_that_rise_outwards_and_circles_stay():
    rising = TabulatedTerm(("A", "B"), [9.0, 4.0, 1.0, 0.0, 1.0, 4.0, 9.0], low=0.2, high=0.4)
    circle = TabulatedTerm(tuple("ABBA"), FALLING)
    for term in (rising, circle):
        assert np.array_equal(term.confining().values, term.values)


def test_steps_of_a_fit_hold_molecules():
    """Of the terms that it learns; a fixed one is the user's."""
    spring, bond = HarmonicTerm.of(("A", "A"), 900.0, 0.3, False), table("AB", 0.2, 0.4)
    fixed = TabulatedTerm(tuple("BAB"), FALLING, True, low=1.4, high=2.9)
    columns = BondedColumns([StartingTerm(term, 0.3, 0.02) for term in (spring, bond, fixed)])
    columns.set(np.concatenate([spring.values, FALLING]))
    assert np.array_equal(columns.terms[0].values, spring.values) and columns.terms[2] is fixed
    assert np.array_equal(columns.terms[1].values, bond.confining().values)
    kept = columns.get()
    columns.set(kept)
    assert np.array_equal(columns.get(), kept)


@pytest.mark.parametrize("fixed", [False, True])
def test_a_start_from_a_file_holds_molecules(fixed, tmp_path):
    """Of an earlier version, or written by hand; a fixed term is taken as it is."""
    bond = table("AB", 0.2, 0.4)
    PairTable(("A", "B"), 0.3, 1.0, np.zeros((3, 12)), bonded=(bond,)).save(tmp_path / "potential.json")
    state = build_lattice("liquid", 64, 0.8, {"A": 0.5, "B": 0.5}, 1.0, 300.0)
    (one,) = starting_terms([Bonded("A-B", start=tmp_path / "potential.json", fixed=fixed)], [state], None)
    assert np.array_equal(one.term.values, (bond if fixed else bond.confining()).values)


def test_the_start_holds_molecules():
    """Where a few counts too many at the end of a distribution bend its inversion down."""
    edges = np.linspace(0.2, 0.4, 41)
    centres = 0.5 * (edges[1:] + edges[:-1])
    p = centres**2 * np.exp(-0.5 * ((centres - 0.3) / 0.02) ** 2)
    known = np.flatnonzero(p > 2e-3 * p.max())
    p[: known[0]], p[known[0]] = 0, 4 * p[known[0] + 1]
    target = Distribution(("A", "B"), edges, p / (p.sum() * 0.005))
    state = build_lattice("liquid", 64, 0.8, {"A": 0.5, "B": 0.5}, 1.0, 300.0)
    term = invert(Bonded("A-B"), [(state, target)])
    assert term.energy(term.low - 0.02) >= term.energy(term.low) - 1e-9
