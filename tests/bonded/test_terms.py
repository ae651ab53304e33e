"""Bonded terms against OpenMM's own arithmetic, scipy's splines and finite differences."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
from scipy.interpolate import CubicSpline

from diffpair.bonded import HarmonicTerm, TabulatedTerm, add_terms, check_terms, write_live
from diffpair.errors import DiffPairError
from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.systems.bonded_paths import bonded_paths

BOX = 3.0 * np.eye(3)
RNG = np.random.default_rng(5)
TABLES = {
    "bond": TabulatedTerm(("A", "B"), RNG.normal(0, 3, 9), low=0.2, high=0.5, wall=400.0),
    "angle": TabulatedTerm(("A", "B", "A"), RNG.normal(0, 3, 7), low=1.2, high=2.6, wall=30.0),
    "dihedral": TabulatedTerm(("A", "B", "B", "A"), RNG.normal(0, 3, 8)),
}
SPRINGS = {
    "bond": HarmonicTerm.of(("A", "B"), 800.0, 0.33),
    "angle": HarmonicTerm.of(("A", "B", "A"), 60.0, 1.9),
}
TERMS = [pytest.param(term, id=f"{term.form}-{order}") for of in (TABLES, SPRINGS) for order, term in of.items()]


def positions_of(coordinate: str, x: float) -> np.ndarray:
    """Particles of one bond, angle or dihedral whose coordinate is x, turned, and spread over the periodic box."""
    match coordinate:
        case "bond":
            found = np.array([[0.0, 0, 0], [x, 0, 0]])
        case "angle":
            found = np.array([[0.3, 0, 0], [0, 0, 0], [0.25 * np.cos(x), 0.25 * np.sin(x), 0]])
        case _:  # seen along the middle bond, the last particle is turned by x against the first
            found = np.array([[0.3, 0, -0.1], [0, 0, 0], [0, 0, 0.3], [0.3 * np.cos(x), 0.3 * np.sin(x), 0.4]])
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    found = found @ (turn * np.linalg.det(turn))
    return (found + np.array([2.95, 0.02, 1.0])) % 3.0  # across two of the box's faces


def context_of(term, positions):
    system = mm.System()
    for _ in positions:
        system.addParticle(1.0)
    system.setDefaultPeriodicBoxVectors(*BOX)
    system.addForce(term.create_force(np.arange(len(positions))[None]))
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    return context


def energy_and_forces(context):
    state = context.getState(energy=True, forces=True)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


def places(term):
    """Within a table, at its nodes and ends, and beyond them."""
    if isinstance(term, HarmonicTerm):
        return term.x0 * np.array([0.6, 0.97, 1.2, 1.5])
    if term.periodic:
        return np.array([-3.1, -np.pi / 2, -1.0, 1e-3, 0.7, term.nodes[5], 2.0, 3.1])
    span = term.high - term.low
    return np.array([term.low - 0.4 * span, term.low + 0.01 * span, term.low + 0.23 * span, term.nodes[3],
                     term.high - 0.4 * term.spacing, term.high + 0.3 * span])  # fmt: skip


@pytest.mark.parametrize("term", TERMS)
def test_energies_and_forces_are_those_of_openmm(term):
    """Forces against differences of `energy`, with the coordinate of `bonded_coordinates`."""
    for x in places(term):
        positions = positions_of(term.order, x)
        path = np.arange(len(positions))[None]
        assert bonded_coordinates(positions[None], BOX[None], path)[0, 0] == pytest.approx(x, abs=1e-9)
        energy, forces = energy_and_forces(context_of(term, positions))
        assert energy == pytest.approx(float(term.energy(x)), rel=1e-10, abs=1e-10)
        step = 1e-5
        expected = np.zeros_like(forces)
        for place in np.ndindex(positions.shape):
            ends = []
            for sign in (1, -1):
                moved = positions.copy()
                moved[place] += sign * step
                ends.append(float(term.energy(bonded_coordinates(moved[None], BOX[None], path)[0, 0])))
            expected[place] = -(ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(forces, expected, rtol=2e-6, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("term", TERMS)
def test_values_are_written_into_a_live_context(term):
    x = places(term)[2]
    positions = positions_of(term.order, x)
    context = context_of(term, positions)
    other = term.with_values(1.2 * term.values + 0.3)
    before = energy_and_forces(context)[0]
    write_live([other], context)
    energy, forces = energy_and_forces(context)
    fresh, expected = energy_and_forces(context_of(other, positions))
    assert energy == fresh == pytest.approx(float(other.energy(x)), rel=1e-10) and abs(energy - before) > 1e-3
    np.testing.assert_array_equal(forces, expected)


@pytest.mark.parametrize("term", [TABLES["bond"], TABLES["angle"]], ids=["bond", "angle"])
def test_the_lines_beyond_a_table_are_written_too(term):
    """Their slopes are those of the new values."""
    for x in (places(term)[0], places(term)[-1]):
        positions = positions_of(term.order, x)
        context = context_of(term, positions)
        other = term.with_values(term.values[::-1] * 2)
        write_live([other], context)
        assert energy_and_forces(context)[0] == pytest.approx(float(other.energy(x)), rel=1e-10)


@pytest.mark.parametrize("term", TERMS)
def test_the_energy_is_linear_in_its_values(term):
    """U = basis . values, but for a table's walls and a constant of a harmonic term; `sums` are those of the basis."""
    x = np.concatenate([places(term), np.linspace(0.01, 3.0, 50)])
    if isinstance(term, HarmonicTerm):
        beside = 0.5 * term.k * term.x0**2
    else:
        beside = 0.5 * term.wall * (x - np.clip(x, term.low, term.high)) ** 2
    expected = term.energy(x) - beside
    np.testing.assert_allclose(term.basis(x) @ term.values, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
    frames = np.stack([x, x[::-1] * 0.9])
    np.testing.assert_allclose(term.sums(frames), term.basis(frames).sum(1), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("order", ["bond", "angle", "dihedral"])
def test_tables_are_splines_of_scipy(order):
    term = TABLES[order]
    nodes, values = term.nodes, term.values
    if order == "dihedral":
        nodes, values = np.append(nodes, np.pi), np.append(values, values[0])
    spline = CubicSpline(nodes, values, bc_type="periodic" if order == "dihedral" else "natural")
    x = np.linspace(term.low, term.high, 301)
    np.testing.assert_allclose(term.energy(x), spline(x), rtol=0, atol=1e-12)
    if order == "dihedral":
        np.testing.assert_allclose(term.energy(x + 2 * np.pi), spline(x), rtol=0, atol=1e-11)
        return
    for end, beyond in ((term.low, -0.1), (term.high, 0.1)):
        expected = spline(end) + beyond * spline(end, 1) + 0.5 * term.wall * beyond**2
        assert float(term.energy(end + beyond)) == pytest.approx(float(expected), rel=1e-12)


def test_harmonic_terms_are_springs():
    term = SPRINGS["angle"]
    np.testing.assert_allclose(term.energy([1.9, 2.0, 1.0]), [0, 30 * 0.01, 30 * 0.81], atol=1e-12)
    moved = term.with_values(np.array([80.0, 160.0]))
    assert (moved.k, moved.x0) == (80.0, 2.0)


def test_terms_of_a_system_act_on_every_chain_of_their_kind():
    """Two chains A-B-B-A, and a lone pair without a term: the energy is the sum over all of its paths."""
    names = [*"ABBA", *"ABBA", *"CC"]
    bonds = [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7), (8, 9)]
    paths = bonded_paths(bonds, names)
    terms = [
        TABLES["bond"],
        SPRINGS["angle"],  # occurs nowhere: no force
        HarmonicTerm.of(("B", "B"), 500.0, 0.3),
        TabulatedTerm(("A", "B", "B"), RNG.normal(0, 3, 6), low=1.0, high=3.0),
        TABLES["dihedral"],
    ]
    system = mm.System()
    for _ in names:
        system.addParticle(1.0)
    system.setDefaultPeriodicBoxVectors(*BOX)
    forces = add_terms(system, terms, paths)
    assert [force.getName() for force in forces] == [
        "DiffPair bond A-B", "DiffPair bond B-B", "DiffPair angle A-B-B", "DiffPair dihedral A-B-B-A",
    ]  # fmt: skip
    assert all(force.usesPeriodicBoundaryConditions() for force in forces)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    positions = RNG.uniform(0, 0.9, (len(names), 3))
    context.setPositions(positions)
    expected = sum(
        float(term.energy(bonded_coordinates(positions[None], BOX[None], paths[term.kind])).sum())
        for term in terms
        if term.kind in paths
    )
    assert energy_and_forces(context)[0] == pytest.approx(expected, rel=1e-9)


def test_a_force_goes_through_xml():
    """What `system.xml` of a fit's folder holds."""
    term = TABLES["angle"]
    positions = positions_of("angle", 2.9)
    context = context_of(term, positions)
    again = mm.XmlSerializer.deserialize(mm.XmlSerializer.serialize(context.getSystem()))
    other = mm.Context(again, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    other.setPositions(positions)
    assert energy_and_forces(other)[0] == energy_and_forces(context)[0]


BOND = {"low": 0.2, "high": 0.5}
REFUSALS = [
    (lambda: TabulatedTerm(("A",), np.zeros(5)), "a bonded term has 2, 3 or 4 types, not 1: A"),
    (lambda: TabulatedTerm(("A", "B"), np.zeros(3), **BOND), "bond A-B: a table has 4 to 400 nodes, not 3"),
    (lambda: TabulatedTerm(("A", "B"), [0, np.nan, 0, 0], **BOND), "bond A-B: its values must be finite numbers"),
    (lambda: TabulatedTerm(("A", "B"), np.zeros(5), low=0.5, high=0.2), "bond A-B: its table from 0.5 to 0.2 with a"),
    (lambda: TabulatedTerm(("A", "B"), np.zeros(5), low=-0.1, high=0.2), "bond A-B: its table from -0.1 to 0.2"),
    (lambda: TabulatedTerm(("A", "B"), np.zeros(5), wall=-1, **BOND), "with a wall of -1 cannot be"),
    (lambda: TabulatedTerm(("A", "B", "C"), np.zeros(5), low=1, high=3.2), "angle A-B-C: .* high <= pi"),
    (lambda: TabulatedTerm(tuple("ABCD"), np.zeros(5), low=0, high=3), "the table of a dihedral goes from -pi to pi"),
    (lambda: HarmonicTerm.of(tuple("ABCD"), 1, 1), "dihedral A-B-C-D: a dihedral has no harmonic form"),
    (lambda: HarmonicTerm.of(("A", "B"), -1, 1), "bond A-B: a harmonic term needs a positive force constant, not"),
    (lambda: check_terms([TABLES["bond"]], []), "0 bonded terms cannot replace 1"),
    (lambda: check_terms([TABLES["bond"]], [SPRINGS["bond"]]), "the bond A-B cannot replace the bond A-B"),
    (
        lambda: check_terms([TABLES["bond"]], [TabulatedTerm(("A", "B"), np.zeros(9), low=0.1, high=0.5, wall=400.0)]),
        "the bond A-B cannot replace the bond A-B: another form or another table",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSALS, ids=[message[:40] for _, message in REFUSALS])
def test_refusals(make, message):
    with pytest.raises(DiffPairError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_a_kind_has_two_readings_and_one_name():
    term = TabulatedTerm(("B", "A", "A"), np.zeros(5), low=1, high=2)
    assert term.kind == ("A", "A", "B") and term.label == "angle A-A-B"
    assert term == TabulatedTerm(("A", "A", "B"), np.zeros(5), low=1, high=2)
    assert term != TabulatedTerm(("A", "A", "B"), np.ones(5), low=1, high=2) and term != "angle"
    assert term.with_fixed(True).fixed and not term.with_fixed(True).values.flags.writeable
