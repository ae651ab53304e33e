"""How many pairs count, against the list of them."""

import numpy as np

from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.observables.rdf import histogram_rdf, pair_list


def test_numbers_are_those_of_the_list():
    rng = np.random.default_rng(0)
    types = np.append(rng.integers(-1, 2, 40), 2)  # a single particle of the last type, some without a type
    exclusions = rng.integers(0, 41, (60, 2))
    numbers = interacting_pairs(types, 3, exclusions)
    listed = [[len(pair_list(types, exclusions, (a, b))) for b in range(3)] for a in range(3)]
    np.testing.assert_array_equal(numbers, listed)
    assert numbers[2, 2] == 0 and numbers[0, 2] > 0


def test_one_particle_among_others_is_normalised():
    """An ideal gas has g = 1, of one particle with the others too."""
    rng = np.random.default_rng(1)
    frames, count, edge = 2000, 60, 2.0
    types = np.append(0, np.ones(count - 1, dtype=int))
    edges = np.linspace(0.4, 1.0, 4)
    g = histogram_rdf(edge * rng.random((frames, count, 3)), edge * np.eye(3), types, None, (0, 1), edges)
    pairs = frames * (count - 1) * 4 / 3 * np.pi * np.diff(edges**3) / edge**3
    assert (np.abs(g - 1) < 4 / np.sqrt(pairs)).all()
