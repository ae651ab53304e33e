"""The core, where no particles are to be: its continuation, and where it begins."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.fit.iterate.guard import attractive_core
from diffpair.potentials import BSpline, GaussianMLP, LennardJones, TableGrid, tabulate
from diffpair.updates import Memory, ParameterSpace, RdfView, StateView, continue_core, pull_back
from diffpair.updates.basis import spline_basis
from diffpair.updates.core import first_neighbours
from diffpair.updates.gauss_newton import regularise

GRID = TableGrid(0.8, 2.5, 60)
CENTRES = GRID.centres().numpy()
KT, CONTACT = 1.0, np.array([1.0])
R = np.linspace(0.5, 2.6, 106)


def lennard_jones(r):
    return 4 * (r**-12.0 - r**-6.0)


def test_core_continues_smoothly_and_repulsively():
    """A table that turns attractive below the first sampled distance: afterwards value and slope go on smoothly."""
    table = tabulate(LennardJones(("A",), 2.5), GRID).detach().numpy().copy()
    table[0, CENTRES < 0.93] = -20.0
    weights = np.where(CENTRES < 0.95, 0.0, CENTRES**2)[None]
    mended = continue_core(table, weights, GRID, KT, CONTACT)[0]
    first = int(np.argmax(CENTRES >= 0.95))
    assert np.array_equal(mended[first:], table[0, first:])
    slopes = np.diff(mended[: first + 4]) / GRID.spacing
    assert (slopes < 0).all()  # repulsive all the way in
    assert np.all(np.abs(np.diff(slopes)) < 0.5 * np.abs(slopes[:-1]))  # no kink


@pytest.mark.parametrize(("sampled_from", "begin"), [(0.95, None), (0.95, 0.85), (0.85, 0.95), (0.0, 0.95)])
def test_core_of_a_known_power_is_continued_exactly(sampled_from, begin):
    """U = A + B r^-12: below the first known coefficient, sampled and not empty in the target, it is the same again."""
    table = (2 * np.maximum(CENTRES, 0.3) ** -12.0 - 1.5)[None]
    weights = np.where(sampled_from <= CENTRES, CENTRES**2, 0.0)[None]
    spoilt = np.where(CENTRES < 0.95, -20.0, table)
    mended = continue_core(spoilt, weights, GRID, KT, CONTACT, None if begin is None else np.array([begin]))
    np.testing.assert_allclose(mended, table, rtol=1e-12)


def test_where_the_neighbours_of_targets_begin():
    g = np.where(R > 0.99, 1.0, 0.0)
    near, far = np.where(R > 0.89, 1.0, 0.0), np.where(R > 0.85, 1e-4, 0.0) + g  # 1e-4: a ripple, no neighbours
    rows = slice(0, len(R))
    assert first_neighbours(2, [RdfView(1, rows, R, far)]) == pytest.approx([0, 1.0])  # 0: no target
    assert first_neighbours(1, [RdfView(0, rows, R, g), RdfView(0, rows, R, near)]) == pytest.approx([0.9])
    cut = RdfView(0, rows, R[R > 1.1], g[R > 1.1])
    assert first_neighbours(1, [cut]) == 0  # its data begin too late to tell
    assert first_neighbours(1, [RdfView(0, rows, R, g), cut]) == 0


@pytest.mark.parametrize("form", ["network", "spline"])
def test_core_that_the_target_empties_is_held_up(form):
    """A fluid of soft particles is met at all distances of the table, the target's at none below 0.9. A step as one of
    a fit was: noise of the Jacobian pulls the core down where few particles are left. What comes of it can be run."""
    soft = (0.9 / np.maximum(CENTRES, 0.6)) ** 10
    soft[-3:] = 0.0
    basis = spline_basis(GRID, R)
    state = StateView(
        Memory(), 0, basis[R > 1], KT, (basis * (R**2 * np.exp(-basis @ soft))[:, None]).sum(0)[None],
        rdfs=(RdfView(0, slice(0, len(R)), R, np.where(R < 0.9, 0.0, np.exp(-lennard_jones(R)))),),
    )  # fmt: skip
    spline = BSpline(("A",), 2.5, GRID.r_min, GRID.knots)
    potential = GaussianMLP(("A",), 2.5, hidden=(24, 24)) if form == "network" else spline
    space = ParameterSpace(potential, GRID, [()], KT, CONTACT)
    pull_back(space, [soft])
    step = np.interp(CENTRES, [0.75, 0.84, 0.87, 0.93, 1.0], [-9.0, 2.0, -3.0, 1.5, 0.0])
    assert "turns attractive" in fault_after(space, [soft + step])
    assert fault_after(space, regularise(space, [state], [soft + step])) == ""


def fault_after(space, tables):
    """What the guard of a fit says of the potential that is nearest to the tables."""
    pull_back(space, tables)
    return attractive_core(space.table(()), CONTACT, KT)
