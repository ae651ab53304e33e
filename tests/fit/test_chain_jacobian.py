"""The hypernetted chain's Jacobian and bridge function, against the closure solved forward and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from closure import BINS, FRACTIONS, GRID, KELVIN, LIQUID, lj, solve_forward

from diffpair.fit.start.bridge import bridge_function, with_bridge
from diffpair.fit.start.chain_jacobian import chain_jacobian
from diffpair.fit.start.hypernetted_chain import HypernettedChain
from diffpair.fit.start.inversion import hypernetted_chain, modified_verlet
from diffpair.fit.start.scales import contact_distances
from diffpair.gradients import TargetRows
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget
from diffpair.updates.basis import spline_basis


def bump(r):
    return 0.05 * np.exp(-(((r - 1.3) / 0.15) ** 2))


def test_answer_to_a_change_of_one_pair():
    """Finite differences of the closure, of a mixture: U of A-B changes, and all three g answer."""

    def g(size):
        return solve_forward(lambda a, b, r: lj(r) + size * bump(r) * (a != b), FRACTIONS, 0.5, 1.5)

    now, change = g(0.0), (g(1.0) - g(-1.0)) / 2
    targets = [RdfTarget(("AB"[a], "AB"[b]), BINS, now[a, b]) for a, b in ((0, 0), (1, 0), (1, 1))]
    state = build_lattice("m", 500, 0.5, dict(zip("AB", FRACTIONS, strict=True)), 1.0, 1.5 * KELVIN, targets=targets)
    rows = TargetRows(state).rdf
    jacobian = chain_jacobian(HypernettedChain(state, 1.0), state, rows, GRID)
    width = GRID.knots + 2
    r = np.linspace(GRID.r_min, GRID.cutoff, 2000)
    dc = np.zeros(3 * width)
    dc[width : 2 * width] = np.linalg.lstsq(spline_basis(GRID, r), bump(r), rcond=None)[0]  # A-B is the second row
    found = jacobian @ dc
    for where, (a, b) in zip(rows.slices, ((0, 0), (0, 1), (1, 1)), strict=True):
        wanted = (
            RdfTarget(("A", "A"), BINS, now[a, b] + change[a, b]).smoothed()
            - targets[0].__class__(("A", "A"), BINS, now[a, b]).smoothed()
        )
        wanted = np.interp(rows.radii[where], BINS, np.nan_to_num(wanted))
        inner = rows.radii[where] < 3.0  # near the end of the data the closure there was another one
        assert np.abs(found[where] - wanted)[inner].max() < 0.05 * np.abs(wanted).max() + 2e-4


def test_a_thin_gas_answers_by_its_boltzmann_factor():
    g = np.exp(-lj(BINS))
    state = build_lattice("g", 500, 1e-4, {"A": 1.0}, 1.0, KELVIN, targets=[RdfTarget(("A", "A"), BINS, g)])
    chain = HypernettedChain(state, 1.0)
    np.testing.assert_allclose(chain.answer(), -np.diag(np.interp(chain.distances[0], BINS, g, left=0)), atol=0.02)


def test_bridge_function():
    """Verlet's form: -x^2 / 2 for small x, and its slope by finite differences."""
    x = np.array([-0.5, -1e-4, 1e-4, 0.3, 2.0])
    np.testing.assert_allclose(bridge_function(x[1:3]), -0.5 * x[1:3] ** 2, rtol=1e-3)
    assert bridge_function(x[3:]) == pytest.approx([-0.045 / 1.24, -2 / 2.6])


def test_the_fixed_point_of_the_bridge():
    """U = chain + B(gamma - U_a) with U_a taken from U itself."""
    r = np.linspace(0.9, 2.5, 81)
    gamma = 2.5 * np.exp(-2 * (r - 0.9))
    chain = lj(r) + 0.2 * gamma
    energy = with_bridge(chain, gamma)
    lowest = np.argmin(energy)
    attraction = np.where(np.arange(81) < lowest, energy[lowest], energy)
    np.testing.assert_allclose(energy, chain + bridge_function(gamma - attraction), atol=1e-5)


def test_a_simulated_liquid_near_its_triple_point():
    """The bridge function brings the start from 0.3 kT to below 0.1 of the true potential, core and all."""
    r, g = np.loadtxt(LIQUID, delimiter=",", skiprows=1).T
    state = build_lattice("l", 864, 0.845, {"A": 1.0}, 1.0, KELVIN, targets=[RdfTarget(("A", "A"), r, g)])
    contact, x = contact_distances([state]), np.linspace(0.95, 2.3, 100)
    off = [np.sqrt(np.mean((spline_basis(GRID, x) @ start([state], GRID, contact)[0] - lj(x)) ** 2))
           for start in (hypernetted_chain, modified_verlet)]  # fmt: skip
    assert off[0] > 0.25 and off[1] < 0.1
