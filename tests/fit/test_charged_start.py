"""Starts beside charges: the hypernetted chain that holds them, and Systems whose forces are no such charges."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import openmm as mm
import pytest
from closure import BINS, GRID, KELVIN, lj, solve_forward

from diffpair.fit.start.chain_jacobian import is_prior
from diffpair.fit.start.choose import choose_start, obstacle
from diffpair.fit.start.hypernetted_chain import COULOMB, HypernettedChain
from diffpair.fit.start.inversion import boltzmann_inversion, hypernetted_chain
from diffpair.fit.start.scales import contact_distances
from diffpair.potentials import TableGrid
from diffpair.settings.start import Start
from diffpair.states import build_lattice, type_charges
from diffpair.targets import RdfTarget, read_rdf
from diffpair.updates.basis import spline_basis

PAIRS = [(0, 0), (0, 1), (1, 1)]
SIGMA, DENSITY, KT = np.array([[0.9, 1.0], [1.0, 1.1]]), 0.3, 1.5
CHARGE = 0.18  # e; energies of 4.5 kJ/mol, 3 kT, at contact
EXAMPLE = Path(__file__).parents[2] / "examples" / "molten_salt"


def ions(charges, count, mass=1.0):
    """A System of charges in PME, those of types that follow each other."""
    system, force = mm.System(), mm.NonbondedForce()
    for index in range(count):
        system.addParticle(mass)
        force.addParticle(charges[index % len(charges)], 1.0, 0.0)
    force.setNonbondedMethod(force.PME)
    system.addForce(force)
    return system


def salt(extra=lambda a, b, r: 0 * r):
    """State of ions whose g(r) obeys the closure, with Lennard-Jones beside their charges, and what is added to it."""
    coulomb = COULOMB * CHARGE**2 * np.array([[1, -1], [-1, 1]])
    g = solve_forward(lambda a, b, r: lj(r, 1.0, SIGMA[a, b]) + extra(a, b, r), [0.5, 0.5], DENSITY, KT, coulomb)
    targets = [RdfTarget(("AB"[a], "AB"[b]), BINS, g[a, b]) for a, b in PAIRS]
    state = build_lattice("salt", 500, DENSITY, {"A": 0.5, "B": 0.5}, 1.0, KT * KELVIN, targets=targets)
    state = replace(state, types=np.arange(500) % 2)
    return replace(state, base_system=ions([CHARGE, -CHARGE], 500))


@pytest.fixture(scope="module")
def state():
    return salt()


def test_what_is_beside_the_charges_is_found(state):
    contact = contact_distances([state])
    inverted, plain = hypernetted_chain([state], GRID, contact), boltzmann_inversion([state], GRID, contact)
    for row, mean_force, (a, b) in zip(inverted, plain, PAIRS, strict=True):
        r = np.linspace(1.02 * SIGMA[a, b], 1.95, 80)
        wanted = lj(r, 1.0, SIGMA[a, b])
        miss, of_mean_force = (np.abs(spline_basis(GRID, r) @ u - wanted).max() for u in (row, mean_force))
        assert miss < min(0.08, 0.2 * of_mean_force), (a, b)


def test_the_answer_of_g_to_a_change_of_the_potential(state):
    """Against the closure solved anew with a bump between unlike ions."""

    def bump(a, b, r):
        return 0.01 * np.exp(-(((r - 1.3) / 0.15) ** 2)) * (a != b)

    chain = HypernettedChain(state, 0.9)
    change = np.concatenate([bump(*pair, r) for pair, r in zip(PAIRS, chain.distances, strict=True)]) / KT
    found = np.split(chain.answer() @ change, np.cumsum([len(r) for r in chain.distances])[:-1])
    for before, after, r, row in zip(state.rdfs, salt(bump).rdfs, chain.distances, found, strict=True):
        wanted = after.g - before.g
        assert np.abs(np.interp(BINS, r, row) - wanted).max() < 0.1 * np.abs(wanted).max() + 2e-5


def test_a_fit_beside_charges_starts_with_them(state):
    found = choose_start(Start(method="auto"), [state], contact_distances([state]))
    assert found.start.method == "hypernetted-chain" and set(found.good) == {"salt"}
    assert found.sentence == "start: hypernetted chain, with the charges of state salt in it"


def test_the_jacobian_of_the_chain_is_no_prior_beside_charges(state):
    """Nor where the volume moves; it is one in the same fluid without charges, with a start that is near."""
    bare = replace(state, base_system=None)
    chain, uncharged = HypernettedChain(state, 0.9), HypernettedChain(bare, 0.9)
    assert not is_prior(chain, state, "hypernetted-chain", False)
    assert is_prior(uncharged, bare, "hypernetted-chain", False)
    assert is_prior(uncharged, bare, "boltzmann-inversion", False)
    assert not is_prior(uncharged, bare, "parameters", False)
    under_pressure = mm.System()
    under_pressure.addForce(mm.MonteCarloBarostat(1.0, 300.0))
    assert not is_prior(uncharged, replace(bare, base_system=under_pressure), "hypernetted-chain", False)
    molecules = replace(bare, exclusions=np.array([[0, 1]]))
    assert not is_prior(uncharged, molecules, "modified-verlet", False)
    assert is_prior(uncharged, molecules, "modified-verlet", True)
    assert not is_prior(uncharged, molecules, "boltzmann-inversion", True)


def with_wells(system):
    system.getForce(0).setParticleParameters(3, -CHARGE, 1.0, 0.1)


def unlike_charges(system):
    system.getForce(0).setParticleParameters(3, -CHARGE / 2, 1.0, 0.0)
    system.getForce(0).setParticleParameters(5, -CHARGE * 1.5, 1.0, 0.0)


def charged_as_a_whole(system):
    for index in range(0, 500, 2):
        system.getForce(0).setParticleParameters(index, 2 * CHARGE, 1.0, 0.0)


def excluded(system):
    system.getForce(0).addException(0, 1, 0.0, 1.0, 0.0)


def cut_off(system):
    system.getForce(0).setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)


def with_a_wall(system):
    force = mm.CustomExternalForce("x^2")
    force.addParticle(0, [])
    system.addForce(force)


@pytest.mark.parametrize("change", [with_wells, unlike_charges, charged_as_a_whole, excluded, cut_off, with_a_wall])
def test_other_forces_are_further_forces(state, change):
    system = ions([CHARGE, -CHARGE], 500)
    np.testing.assert_allclose(type_charges(system, state.types, 2), [CHARGE, -CHARGE])
    system.addForce(mm.CMMotionRemover())
    assert obstacle(replace(state, base_system=system)) == ""
    change(system)
    assert obstacle(replace(state, base_system=system)) == "has further forces"


def test_molten_salt_starts_near_its_true_potential(monkeypatch):
    """Where -kT ln g is 10 kT off between unlike ions."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.delitem(sys.modules, "nacl_rdf", raising=False)
    import nacl_rdf

    targets = [read_rdf(EXAMPLE / f"{a}-{b}.csv", (a, b)) for a, b in nacl_rdf.PAIRS]
    density = 2 * nacl_rdf.DENSITY * 602.214076 / 58.443
    melt = build_lattice("melt", 512, density, {"Na": 0.5, "Cl": 0.5}, 1.0, nacl_rdf.TEMPERATURE, targets=targets)
    melt = replace(melt, types=np.arange(512) % 2, base_system=ions([1.0, -1.0], 512))
    grid, contact, kT = TableGrid(0.17, nacl_rdf.CUTOFF, 54), contact_distances([melt]), 1 / melt.beta
    inverted, plain = hypernetted_chain([melt], grid, contact), boltzmann_inversion([melt], grid, contact)
    for pair, target, row, mean_force in zip(nacl_rdf.PAIRS, targets, inverted, plain, strict=True):
        r = target.r[(target.g > 0.5) & (target.r < nacl_rdf.CUTOFF)]
        miss, of_mean_force = (
            np.sqrt(np.mean((spline_basis(grid, r) @ u - nacl_rdf.tosi_fumi(r, *pair)) ** 2)) / kT
            for u in (row, mean_force)
        )
        assert miss < 0.9, pair
        if pair == ("Na", "Cl"):
            assert of_mean_force > 2
