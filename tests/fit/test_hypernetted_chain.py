"""Hypernetted-chain inversion against the closure solved forward, by another algorithm on another grid."""

from __future__ import annotations

import numpy as np
import pytest
from closure import BINS, FRACTIONS, GRID, KELVIN, LIQUID, lj, solve_forward

from diffpair.errors import DiffPairError
from diffpair.fit.start.hypernetted_chain import HypernettedChain
from diffpair.fit.start.inversion import boltzmann_inversion, hypernetted_chain
from diffpair.fit.start.scales import contact_distances
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget
from diffpair.updates.basis import spline_basis


def error(table, wanted, r):
    """Largest |U - wanted| on r, both as they are."""
    return float(np.abs(spline_basis(GRID, r) @ table - wanted).max())


def test_the_closure_is_inverted():
    """A fluid at which the potential of mean force is 0.5 kT off, to 0.05 kT up to the taper at the cutoff."""
    (g,) = solve_forward(lambda a, b, r: lj(r), [1.0], 0.6, 1.5)[0]
    state = build_lattice("f", 500, 0.6, {"A": 1.0}, 1.0, 1.5 * KELVIN, targets=[RdfTarget(("A", "A"), BINS, g)])
    contact, r = contact_distances([state]), np.linspace(0.98, 1.95, 80)
    assert error(boltzmann_inversion([state], GRID, contact)[0], lj(r), r) > 0.4
    assert error(hypernetted_chain([state], GRID, contact)[0], lj(r), r) < 0.05


@pytest.mark.parametrize("scale", [0.995, 1.005])
def test_a_wrong_normalisation_is_found(scale):
    (g,) = solve_forward(lambda a, b, r: lj(r), [1.0], 0.6, 1.5)[0]
    target = RdfTarget(("A", "A"), BINS, scale * g)
    state = build_lattice("f", 500, 0.6, {"A": 1.0}, 1.0, 1.5 * KELVIN, targets=[target])
    r = np.linspace(1.0, 1.95, 80)
    table = hypernetted_chain([state], GRID, contact_distances([state]))[0]
    assert error(table, lj(r), r) < 0.05


def test_two_types():
    sigma, epsilon = np.array([[0.95, 1.0], [1.0, 1.05]]), np.array([[1.0, 0.7], [0.7, 1.2]])
    pairs = [(0, 0), (0, 1), (1, 1)]
    g = solve_forward(lambda a, b, r: lj(r, epsilon[a, b], sigma[a, b]), FRACTIONS, 0.5, 1.5)
    targets = [RdfTarget(("AB"[b], "AB"[a]), BINS, g[a, b]) for a, b in pairs]
    state = build_lattice("mix", 1000, 0.5, {"A": 0.3, "B": 0.7}, 1.0, 1.5 * KELVIN, targets=targets)
    contact = contact_distances([state])
    inverted, plain = hypernetted_chain([state], GRID, contact), boltzmann_inversion([state], GRID, contact)
    for row, mean_force, (a, b) in zip(inverted, plain, pairs, strict=True):
        r = np.linspace(1.01 * sigma[a, b], 1.95, 80)
        wanted = lj(r, epsilon[a, b], sigma[a, b])
        assert error(row, wanted, r) < min(0.06, 0.4 * error(mean_force, wanted, r))


def test_one_particle_in_a_solvent():
    """It has no g(r) with itself, and none is needed."""
    sigma, epsilon = np.array([[1.0, 1.1], [1.1, 1.0]]), np.array([[1.0, 1.5], [1.5, 1.0]])
    g = solve_forward(lambda a, b, r: lj(r, epsilon[a, b], sigma[a, b]), [0.001, 0.999], 0.5, 1.5)
    targets = [RdfTarget(("A", "B"), BINS, g[0, 1]), RdfTarget(("B", "B"), BINS, g[1, 1])]
    state = build_lattice("solute", 1000, 0.5, {"A": 0.001, "B": 0.999}, 1.0, 1.5 * KELVIN, targets=targets)
    inverted = hypernetted_chain([state], GRID, contact_distances([state]))
    for row, (a, b) in ((1, (0, 1)), (2, (1, 1))):
        r = np.linspace(1.01 * sigma[a, b], 1.95, 80)
        assert error(inverted[row], lj(r, epsilon[a, b], sigma[a, b]), r) < 0.06


def test_a_thin_gas_is_boltzmann_inverted():
    target = RdfTarget(("A", "A"), BINS, np.exp(-lj(BINS)))
    state = build_lattice("gas", 108, 1e-4, {"A": 1.0}, 1.0, KELVIN, targets=[target])
    contact = contact_distances([state])
    np.testing.assert_allclose(
        hypernetted_chain([state], GRID, contact), boltzmann_inversion([state], GRID, contact), atol=0.01
    )


@pytest.fixture
def liquid():
    r, g = np.loadtxt(LIQUID, delimiter=",", skiprows=1).T
    target = RdfTarget(("A", "A"), r, g)
    return build_lattice("liquid", 864, 0.845, {"A": 1.0}, 1.0, KELVIN, targets=[target])


def test_a_simulated_liquid(liquid):
    """Nearer to the true potential than the potential of mean force where the closure is good: outside the core."""
    contact, r = contact_distances([liquid]), np.linspace(1.1, 2.3, 80)
    assert error(boltzmann_inversion([liquid], GRID, contact)[0], lj(r), r) > 0.7
    assert error(hypernetted_chain([liquid], GRID, contact)[0], lj(r), r) < 0.6
    assert error(hypernetted_chain([liquid], GRID, contact)[0], lj(r[15:]), r[15:]) < 0.15


def test_data_that_allow_no_such_density(liquid):
    """g of 0.97 far away would make S(0) negative: a lower density is taken, and the potential stays finite."""
    (target,) = liquid.targets
    spoilt = RdfTarget(("A", "A"), target.r, 0.97 * target.g)
    state = build_lattice("liquid", 864, 0.845, {"A": 1.0}, 1.0, KELVIN, targets=[spoilt])
    assert HypernettedChain(liquid, 1.0).reached == 1.0
    assert 0 < HypernettedChain(state, 1.0).reached < 1
    assert np.isfinite(hypernetted_chain([state], GRID, contact_distances([state]))).all()


def test_a_pair_without_target():
    target = RdfTarget(("A", "A"), BINS, np.exp(-lj(BINS)))
    state = build_lattice("mix", 500, 0.2, {"A": 0.5, "B": 0.5}, 1.0, KELVIN, targets=[target])
    with pytest.raises(DiffPairError, match="state 'mix' has no target for A-B; boltzmann-inversion does without"):
        HypernettedChain(state, 1.0)
