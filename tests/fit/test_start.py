"""Scales, grids and starts that follow from the targets."""

from __future__ import annotations

import numpy as np
import pytest
from prepared import prepared

from diffpair.errors import DiffPairError
from diffpair.fit.start.inversion import boltzmann_inversion, crystalline, from_file
from diffpair.fit.start.scales import choose_scales, contact_distances
from diffpair.observables.rdf import histogram_rdf
from diffpair.potentials import BSpline, TableGrid
from diffpair.states import build_lattice
from diffpair.tables import PairTable
from diffpair.targets import RdfTarget, read_rdf
from diffpair.updates.basis import spline_basis

R = 0.805 + 0.02 * np.arange(120)
GRID = TableGrid(0.8, 2.5, 60)


def lj(r, epsilon=1.0, sigma=1.0):
    return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)


def gas(kT=1.0, pairs=(("A", "A"),), types=None, sigma=1.0):
    """A state so thin that g = exp(-U / kT)."""
    targets = [RdfTarget(pair, R, np.exp(-lj(R, sigma=sigma) / kT)) for pair in pairs]
    temperature = kT / 0.00831446261815324
    return build_lattice("gas", 64, 0.2, types or {"A": 1.0}, 1.0, temperature, targets=targets)


@pytest.mark.parametrize("temperatures", [(1.0,), (1.0, 1.6)])
def test_boltzmann_inversion_of_a_thin_gas_is_the_potential(temperatures):
    states = [gas(kT) for kT in temperatures]
    contact = contact_distances(states)
    table = PairTable(("A",), GRID.r_min, GRID.cutoff, boltzmann_inversion(states, GRID, contact))
    r = np.linspace(0.97, 1.9, 100)
    assert np.abs(table.energy(r) - lj(r)).max() < 0.1  # the target is smoothed a little first
    near = np.linspace(0.9, 0.97, 20)  # exp(-U) falls to 0.001 there, so half of it is continued
    assert np.abs(table.energy(near) / lj(near) - 1).max() < 0.1
    core = np.linspace(0.7, 0.95, 60)
    force = table.force(core)
    assert (force > 0).all() and (np.diff(force[core > 0.82]) < 1.0).all()  # repulsive, no kink
    assert abs(table.energy(2.45)) < 0.01


def test_pair_without_target_starts_as_a_soft_repulsion():
    state = gas(pairs=(("A", "A"), ("B", "B")), types={"A": 0.5, "B": 0.5})
    contact = contact_distances([state])
    assert contact[1] == pytest.approx(0.5 * (contact[0] + contact[2]))
    table = boltzmann_inversion([state], GRID, contact)
    u = spline_basis(GRID, np.linspace(0.85, 2.4, 50)) @ table[1]
    assert (u > -1e-3).all() and u[0] > 1 and (np.diff(u) < 1e-3).all()


def test_scales_follow_the_targets(make_config):
    config = make_config(potential={"form": "bspline", "cutoff": "2.5 nm"})
    state = gas()
    contact = contact_distances([state])
    assert contact[0] == pytest.approx(1.0, abs=0.03)  # where U = 0
    scales = choose_scales([state], config.potential, contact)
    onset = R[np.argmax(np.exp(-lj(R)) > 0.01)]
    assert 0.7 < scales.r_min < onset and 40 < scales.knots < 80 and scales.energy == pytest.approx(1.0)
    short = make_config(potential={"form": "bspline", "cutoff": "0.5 nm"})
    with pytest.raises(DiffPairError, match="cutoff = 0.5 nm lies below the first neighbours"):
        choose_scales([state], short.potential, contact)


def test_start_from_a_potential_file(make_config, tmp_path):
    coefficients = np.zeros((1, 62))
    coefficients[0, :-3] = lj(GRID.centres().numpy()[:-3], epsilon=0.5)
    table = PairTable(("A",), GRID.r_min, GRID.cutoff, coefficients)
    table.save(tmp_path / "start.json")
    setup = prepared(make_config(start=str(tmp_path / "start.json")))
    started = PairTable(("A",), *setup.space.grid[:2], setup.space.tables()[0][None])
    r = np.linspace(0.95, 2.4, 80)
    np.testing.assert_allclose(started.energy(r), table.energy(r), atol=5e-3)
    with pytest.raises(DiffPairError, match="has no type 'B'"):
        from_file(tmp_path / "start.json", BSpline(("A", "B"), GRID.cutoff, GRID.r_min, GRID.knots), GRID, 1.0)


def test_short_runs_are_refused_before_the_fit(make_config):
    with pytest.raises(DiffPairError, match=r"production: max_steps = 50 .* too short"):
        prepared(make_config(production={"max_steps": 50}))
    with pytest.raises(DiffPairError, match="sampling: steps = 15 .* fewer than 2 frames"):
        prepared(make_config(sampling={"timestep": "5 fs", "steps": 15, "every": 10}))


def test_parameters_that_no_form_takes(make_config, target_file):
    document = {
        "name": "liquid",
        "system": {"lattice": {"n": 64, "density": "0.2 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}},
        "temperature": "120.27 K",
        "parameters": {"lambda": 0.5},
        "targets": [{"rdf": {"pair": ["A", "A"], "file": str(target_file), "r_unit": "nm"}}],
    }
    with pytest.raises(DiffPairError, match="the form bspline takes no parameters, but the states give lambda"):
        prepared(make_config(states=[document]))


FORMS = {
    "bspline": {},
    "mlp": {"hidden": [8, 8]},
    "lj": {"sigma": "1 nm", "epsilon": "1 kJ/mol"},
    "generalised_lj": {"sigma": "1 nm", "epsilon": "1 kJ/mol", "n": 11},
    "soft_sphere": {"sigma": "1 nm", "epsilon": "1 kJ/mol"},
    "yukawa": {"sigma": "1 nm", "epsilon": "1 kJ/mol", "kappa": "2 nm^-1"},
    "morse": {"sigma": "1 nm", "epsilon": "1 kJ/mol", "a": 5},
    "sum": {"parts": [{"form": "lj", "sigma": "1 nm", "epsilon": "1 kJ/mol", "trainable": False}, {"form": "bspline"}]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_prepared(form, make_config):
    setup = prepared(make_config(potential={"form": form, "cutoff": "2.5 nm", **FORMS[form]}))
    assert setup.tabulation.converged
    assert np.isfinite(setup.space.tables()[0]).all()
    if form == "sum":  # the fixed part is not learned, the spline makes up the difference to the inverted potential
        assert setup.space.size == setup.space.grid.knots - 1 and setup.start_misfit < 0.05


def crystal_rdf(displacement):
    """The state, and g(r) of FCC sites with thermal displacements in nm."""
    state = build_lattice("x", 256, 1.2, {"A": 1.0}, 1.0, 144.0)
    x = state.positions + np.random.default_rng(1).normal(scale=displacement, size=(20, 256, 3))
    edges = np.linspace(0.7, 2.9, 101)
    g = histogram_rdf(x, state.box, state.types, None, (0, 0), edges)
    return state, RdfTarget(("A", "A"), 0.5 * (edges[1:] + edges[:-1]), g)


def test_only_closures_of_a_liquid_are_good_beyond_contact(make_config, tmp_path):
    """A crystal's start is a repulsion, whatever inversion was asked for."""
    assert prepared(make_config(start="boltzmann-inversion")).space.beyond == 1
    assert prepared(make_config(start="hypernetted-chain")).space.beyond < 0.5
    assert prepared(make_config()).space.beyond < 0.5
    _, crystal = crystal_rdf(0.07)
    np.savetxt(tmp_path / "crystal.csv", np.column_stack([crystal.r, crystal.g]), delimiter=",")
    document = {
        "name": "crystal",
        "system": {"lattice": {"n": 256, "density": "1.2 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}},
        "temperature": "144 K",
        "targets": [{"rdf": {"pair": ["A", "A"], "file": str(tmp_path / "crystal.csv"), "r_unit": "nm"}}],
    }
    assert prepared(make_config(start="hypernetted-chain", states=[document])).space.beyond == 1


@pytest.mark.parametrize("displacement", [0.05, 0.07, 0.08])
def test_a_crystal_starts_with_a_repulsion(displacement, target_file):
    """FCC sites with thermal displacements up to those near melting; the liquid's own g is inverted as ever."""
    state, crystal = crystal_rdf(displacement)
    assert crystalline(crystal)
    assert not crystalline(read_rdf(target_file, ("A", "A")))
    state.targets.append(crystal)
    (row,) = boltzmann_inversion([state], GRID, np.array([1.0]))
    r = np.linspace(0.85, 2.4, 50)
    table = PairTable(("A",), GRID.r_min, GRID.cutoff, row[None])
    energy = table.energy(r)
    assert (np.diff(energy) < 1e-3).all() and energy[r > 1.0].max() < 5.0 / state.beta
    # independent displacements: an Einstein crystal, whose neighbours' distance has twice the variance of one of them
    spring, r1 = 1 / (state.beta * displacement**2), (np.sqrt(2) / 1.2) ** (1 / 3)
    assert table.energy(r1) == pytest.approx(spring * r1**2 / 528, rel=0.25)
