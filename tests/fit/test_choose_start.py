"""Which start a fit takes that is not told, and where closures are refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import openmm as mm
import pytest
from closure import BINS, KELVIN, LIQUID, lj

from diffpair.errors import DiffPairError
from diffpair.fit.start.choose import choose_start, obstacle
from diffpair.fit.start.scales import contact_distances
from diffpair.settings.start import Start
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

AUTO = Start(method="auto")
CHAIN = np.array([[0, 1], [1, 2]])  # of which 0 and 2 are not excluded


def gas(pair=("A", "A"), end=4.0):
    r = BINS[: np.searchsorted(BINS, end)]
    return RdfTarget(pair, r, np.exp(-lj(r)))


def liquid(scale):
    """0.97 far away would make S(0) negative."""
    r, g = np.loadtxt(LIQUID, delimiter=",", skiprows=1).T
    return build_lattice("l", 864, 0.845, {"A": 1.0}, 1.0, KELVIN, targets=[RdfTarget(("A", "A"), r, scale * g)])


def state(types=None, targets=None, **changes):
    made = build_lattice(
        "gas", 500, 0.1, types or {"A": 1.0}, 1.0, KELVIN, targets=[gas()] if targets is None else targets
    )
    return dataclasses.replace(made, **changes)


def chosen(*states):
    return choose_start(AUTO, list(states), contact_distances(list(states)))


def springs():
    system = mm.System()
    for _ in range(500):
        system.addParticle(1.0)
    force = mm.HarmonicBondForce()
    force.addBond(0, 1, 1.0, 1.0)
    system.addForce(force)
    return system


def trap():
    system = mm.System()
    for _ in range(500):
        system.addParticle(1.0)
    force = mm.CustomExternalForce("x^2")
    force.addParticle(0)
    system.addForce(force)
    return system


def test_molecules_all_of_whose_pairs_are_excluded_start_from_the_closure_between_their_sites():
    """Whether the structure's bonds or the System's join them."""
    for molecules in (
        state(exclusions=np.array([[0, 1]])),
        state(exclusions=np.array([[0, 1]]), base_system=springs()),
        state(exclusions=np.array([[0, 1], [1, 2], [0, 2]]), bonds=CHAIN),
    ):
        found = chosen(molecules)
        assert found.start.method == "modified-verlet"
        assert "between the sites of the molecules of state gas" in found.sentence


def test_a_fluid_starts_from_the_closure():
    found = chosen(state())
    assert found.start.method == "modified-verlet" and found.sentence.startswith("start: hypernetted chain")
    assert found.chains["gas"].reached == 1


@pytest.mark.parametrize(
    ("unfit", "reason"),
    [
        (state(exclusions=CHAIN), "has molecules of which not all pairs are excluded"),
        (state(bonds=CHAIN), "has molecules of which not all pairs are excluded"),
        (state(base_system=springs()), "has molecules of which not all pairs are excluded"),
        (state(base_system=trap()), "has further forces"),
        (state(types={"A": 0.5, "B": 0.5}), "has no target for A-B"),
        (liquid(scale=0.97), "has a g(r) that is possible at"),
        (state(targets=[gas(end=2.2)]), "ends before 2.5 contact distances"),
    ],
    ids=["exclusions", "bonds", "bonds of the System", "forces", "unknown pair", "impossible g", "short g"],
)
def test_other_states_start_by_boltzmann_inversion(unfit, reason):
    found = chosen(state(), dataclasses.replace(unfit, name="odd"))
    assert found.start.method == "boltzmann-inversion"
    assert found.sentence.startswith("start: Boltzmann inversion, since state odd") and reason in found.sentence


@pytest.mark.parametrize("method", ["hypernetted-chain", "modified-verlet"])
def test_a_closure_is_refused_where_it_does_not_hold(method):
    with pytest.raises(
        DiffPairError, match=rf"start: {method} is for .* but state 'gas' has molecules of which not all"
    ):
        choose_start(Start(method=method), [state(exclusions=CHAIN)], np.array([1.0]))


def test_a_chain_is_used_but_not_trusted_where_data_are_doubtful():
    asked = choose_start(Start(method="hypernetted-chain"), [liquid(scale=0.97)], np.array([1.0]))
    assert set(asked.chains) == {"l"} and not asked.good
    assert set(chosen(state()).good) == {"gas"}


def test_one_particle_needs_no_target_with_itself():
    mixture = state(types={"A": 0.998, "B": 0.002}, targets=[gas(), gas(("A", "B"))])
    assert np.bincount(mixture.types)[1] == 1
    assert obstacle(mixture) == ""
    assert obstacle(state(types={"A": 0.99, "B": 0.01}, targets=mixture.targets)) == "has no target for B-B"


def test_forces_that_do_nothing_are_none():
    """What ForceField.createSystem adds for beads: a remover of drift, and bonds of which there are none."""
    system = mm.System()
    for _ in range(500):
        system.addParticle(1.0)
    for force in (mm.CMMotionRemover(), mm.HarmonicBondForce(), mm.HarmonicAngleForce(), mm.PeriodicTorsionForce()):
        system.addForce(force)
    assert obstacle(state(base_system=system)) == ""
    system.getForce(1).addBond(0, 1, 1.0, 1.0)
    assert obstacle(state(base_system=system)) == "has molecules of which not all pairs are excluded"
    system.removeForce(1)
    system.addConstraint(0, 1, 1.0)
    assert obstacle(state(base_system=system)) == "has molecules of which not all pairs are excluded"


def test_particles_that_stand_still_are_no_fluid():
    assert "do not move" in obstacle(state(masses=np.r_[0.0, np.ones(499)]))


def test_the_theory_is_no_prior_where_it_does_not_hold():
    """A start that is asked for may use the density that the data allow; the Jacobian at that density is another's."""
    fluid, impossible = state(), dataclasses.replace(liquid(scale=0.97), name="odd")
    for method in ("auto", "hypernetted-chain", "boltzmann-inversion"):
        states = [fluid, impossible]
        found = choose_start(Start(method=method), states, contact_distances(states))
        assert set(found.chains) == {"gas", "odd"} and set(found.good) == {"gas"}
