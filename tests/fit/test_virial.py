"""The virial that a target g(r) and a table have, against a sum over pairs."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.iterate.virial import virial_row
from diffpair.fit.start.inversion import fit_spline
from diffpair.fit.tasks.task import Recipe
from diffpair.gradients import TargetRows
from diffpair.observables.rdf import histogram_rdf
from diffpair.potentials import TableGrid
from diffpair.settings.sampling import Sampling
from diffpair.states import build_lattice
from diffpair.tables import PairTable
from diffpair.targets import PressureTarget, RdfTarget

GRID = TableGrid(0.2, 1.5, 60)
EDGES = np.linspace(0.2, 1.6, 281)
STRENGTHS = (5.0, -1.0, 4.0)  # of the pairs AA, AB, BB


def test_pressure_of_a_mixture():
    """300 particles at random places: U = strength (1.5 - r)^3 between them, P by brute force."""
    state = build_lattice("x", 300, 4.0, {"A": 0.4, "B": 0.6}, 1.0, 150.0)
    edge, kT = state.box[0, 0], 1 / state.beta
    x = np.random.default_rng(3).uniform(0, edge, (300, 3))
    pairs = {(0, 0): ("A", "A"), (0, 1): ("A", "B"), (1, 1): ("B", "B")}
    for kinds, names in pairs.items():
        g = histogram_rdf(x[None], state.box, state.types, None, kinds, EDGES)
        state.targets.append(RdfTarget(names, 0.5 * (EDGES[1:] + EDGES[:-1]), g))
    r = np.linspace(0.2, 1.5, 500)
    tables = [fit_spline(GRID, r, s * (1.5 - r) ** 3, 1.0) for s in STRENGTHS]
    row = virial_row(TargetRows(state), GRID)
    assert row is not None
    ratio = 1 + row @ np.concatenate(tables)

    i, j = np.triu_indices(300, 1)
    d = x[i] - x[j]
    distance = np.linalg.norm(d - edge * np.rint(d / edge), axis=1)
    row = state.types[i] + state.types[j]  # AA 0, AB 1, BB 2
    near = (distance > 0.2) & (distance < 1.5)
    force = 3 * np.array(STRENGTHS)[row] * (1.5 - distance) ** 2
    pressure = 300 / edge**3 * kT + np.sum((distance * force)[near]) / (3 * edge**3)
    assert ratio == pytest.approx(pressure * edge**3 / (300 * kT), rel=0.01)
    assert abs(ratio - 1) > 0.5


@pytest.mark.parametrize(
    ("pairs", "end", "known"),
    [
        ([("A", "A"), ("A", "B"), ("B", "B")], 1.44, True),
        ([("A", "A"), ("A", "B"), ("B", "B")], 1.3, False),
        ([("A", "A"), ("B", "B")], 1.6, False),
    ],
)
def test_no_pressure_where_the_targets_do_not_tell_all_of_it(pairs, end, known):
    """A pair of types without a target, or targets that end before the cutoff of 1.5 nm."""
    state = build_lattice("x", 300, 4.0, {"A": 0.4, "B": 0.6}, 1.0, 150.0)
    r = np.arange(0.205, end, 0.01)
    state.targets += [RdfTarget(names, r, np.ones_like(r)) for names in pairs]
    assert (virial_row(TargetRows(state), GRID) is not None) == known


def test_wanted_pressure_needs_no_guard():
    """A pressure as a target may be negative."""
    r = np.arange(0.205, 1.6, 0.01)
    for extra, guarded in (([], True), ([PressureTarget(-50.0)], False)):
        targets = [RdfTarget(("A", "A"), r, np.ones_like(r)), *extra]
        state = build_lattice("x", 300, 4.0, {"A": 1.0}, 1.0, 150.0, targets=targets)
        table = PairTable(("A",), GRID.r_min, GRID.cutoff, np.zeros((1, GRID.knots + 2)))
        found = LiveState(Recipe(state, GRID, table, Sampling(timestep="2 fs")))
        assert (found.view().virial is not None) == guarded
