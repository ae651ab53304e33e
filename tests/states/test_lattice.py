"""Lattice states: counts, spacing, seeds, refusals."""

import numpy as np
import pytest
from openmm import unit
from scipy.spatial import cKDTree

from diffpair.errors import DiffPairError
from diffpair.states import beside_potential, build_lattice
from diffpair.targets import DensityTarget


def lattice(n=108, **changes):
    settings = {"density": 0.8, "types": {"A": 1.0}, "masses": 1.0, "temperature": 120.27}
    return build_lattice("test", n, **(settings | changes))


def nearest_distance(state):
    edge = state.box[0, 0]
    distances, _ = cKDTree(state.positions % edge, boxsize=edge).query(state.positions % edge, k=2)
    return distances[:, 1].min()


@pytest.mark.parametrize("cells", [1, 2, 3, 6])
def test_four_m_cubed_particles_are_face_centred(cells):
    n = 4 * cells**3
    state = lattice(n)
    assert state.num_atoms == n
    assert state.density == pytest.approx(0.8)
    assert np.all(state.positions >= 0) and np.all(state.positions < state.box[0, 0])
    if cells > 1:  # twelve neighbours at a / sqrt 2
        spacing = state.box[0, 0] / cells / np.sqrt(2)
        tree = cKDTree(state.positions, boxsize=state.box[0, 0])
        assert nearest_distance(state) == pytest.approx(spacing)
        assert {len(near) - 1 for near in tree.query_ball_point(state.positions, 1.001 * spacing)} == {12}


@pytest.mark.parametrize("n", [1, 2, 5, 27, 54, 100, 255, 257, 512, 1000])
def test_any_number_of_particles_finds_room(n):
    state = lattice(n)
    assert state.num_atoms == n
    assert state.density == pytest.approx(0.8)
    if n > 1:
        # at worst the sites are as close as on the next larger cubic lattice
        assert nearest_distance(state) >= 0.999 * state.box[0, 0] / np.ceil(n ** (1 / 3))


def test_types_have_exact_counts_and_are_mixed():
    state = lattice(256, types={"A": 0.25, "B": 0.75}, masses={"A": 2.0, "B": 3.0})
    assert state.type_names == ("A", "B")
    assert np.bincount(state.types).tolist() == [64, 192]
    assert np.all(state.masses == np.where(state.types == 0, 2.0, 3.0))
    assert 0 < np.count_nonzero(state.types[:64] == 0) < 64


def test_fractions_that_do_not_divide_are_rounded_by_largest_remainder():
    state = lattice(100, types={"A": 1 / 3, "B": 1 / 3, "C": 1 / 3})
    assert sorted(np.bincount(state.types).tolist()) == [33, 33, 34]


def test_the_seed_decides_the_arrangement():
    mixed = {"types": {"A": 0.5, "B": 0.5}}
    first, again, other = lattice(100, **mixed, seed=1), lattice(100, **mixed, seed=1), lattice(100, **mixed, seed=2)
    assert np.array_equal(first.types, again.types) and np.array_equal(first.positions, again.positions)
    assert not np.array_equal(first.types, other.types)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n": 0}, "number of particles, not 0"),
        ({"n": 10.5}, "not 10.5"),
        ({"density": -1.0}, "density of -1"),
        ({"temperature": 0.0}, "temperature of 0 K"),
        ({"temperature": np.nan}, "temperature: must be a finite number, not nan"),
        ({"types": {}}, "no particle types"),
        ({"types": {"A": 0.5, "B": 0.4}}, "A: 0.5, B: 0.4"),
        ({"types": {"A": 1.5, "B": -0.5}}, "must be positive"),
        ({"types": {"A": 0.999, "B": 0.001}}, "no particle of type 'B'"),
        ({"masses": 0.0}, "masses must be positive"),
        ({"masses": [1.0, 2.0]}, "1 types but 2 masses"),
        ({"masses": {"B": 1.0}}, "no mass for type 'A'"),
        ({"masses": {"A": 1.0, "B": 1.0}}, "mass for type 'B'"),
    ],
)
def test_refusals_name_state_and_value(changes, sentence):
    with pytest.raises(DiffPairError, match="state 'test'") as refusal:
        lattice(**changes)
    assert sentence in str(refusal.value)


def test_a_pressure_brings_a_barostat():
    """In bar or with a unit; the density is the one to start from, and can be a target then."""
    state = lattice(pressure="2 atm", targets=[DensityTarget(1.1, unit="nm^-3")])
    assert state.barostat_pressure == pytest.approx(2 * 1.01325) and state.barostat.getFrequency() == 10
    assert state.barostat.getDefaultTemperature()._value == state.temperature
    assert not beside_potential(state.base_system) and lattice(pressure=3.0).barostat_pressure == 3.0
    assert state.target_volume == pytest.approx(state.num_atoms / 1.1) and state.target_volume != state.volume
    with pytest.raises(DiffPairError, match="'nm' is not a unit of pressure"):
        lattice(pressure="2 nm")


def test_densities_with_units():
    """0.997 g/cm^3 of water is 33.33 molecules per nm^3; of a mixture the mean mass counts."""
    water = {"types": {"W": 1.0}, "masses": 18.015, "temperature": 300 * unit.kelvin}
    assert build_lattice("w", n=100, density="0.997 g/cm^3", **water).density == pytest.approx(33.328, rel=1e-4)
    kilograms = 997 * unit.kilogram / unit.meter**3
    assert build_lattice("w", n=100, density=kilograms, **water).density == pytest.approx(33.328, rel=1e-4)
    assert build_lattice("w", n=100, density="33.328 nm^-3", **water).temperature == 300
    mixed = {"types": {"A": 0.25, "B": 0.75}, "masses": {"A": 10 * unit.dalton, "B": "30 amu"}, "temperature": 300}
    assert build_lattice("m", n=100, density="1 g/cm^3", **mixed).density == pytest.approx(602.214 / 25, rel=1e-4)
    with pytest.raises(DiffPairError, match="'kelvin' is not a unit of .*density"):
        build_lattice("w", n=100, density=3 * unit.kelvin, **water)
