"""The core's histogram of pair distances, against all images of all pairs in double precision."""

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.observables.pair_histogram import count_types
from diffpair.observables.rdf import count_pairs, pair_list

BOXES = {
    "flat": np.diag([3.0, 4.1, 2.6]),
    "triclinic": np.array([[3.0, 0, 0], [1.4, 2.9, 0], [-1.3, 1.2, 2.8]]),
}
PAIRS = [(0, 0), (2, 0), (1, 1), (2, 2)]


def liquid(frames, n, box, seed):
    """Random positions, some of them many boxes away."""
    rng = np.random.default_rng(seed)
    return (rng.random((frames, n, 3)) + rng.integers(-3000, 3000, (frames, n, 3)) * (rng.random((n, 1)) < 0.3)) @ box


def by_all_images(x, box, pairs, edges):
    """Counts and the shortest distance, from the nearest of 125 images."""
    i, j = pairs.T
    shift = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3) @ box
    d = x[i] - x[j]
    d -= np.round(d @ np.linalg.inv(box)) @ box
    r = np.linalg.norm(d[:, None] + shift, axis=2).min(axis=1)
    return np.histogram(r, edges)[0], r.min(initial=np.inf)


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("n", [3, 40, 150])
@pytest.mark.parametrize("low", [0.0, 0.23])
def test_counts_are_those_of_all_images(box, n, low):
    """Up to exactly half the box; types that are not asked for, exclusions, a type of one particle, more of none."""
    rng = np.random.default_rng(n)
    types = np.array([0, 1, 3, *rng.integers(0, 4, n)])[:n]
    types[types == 1] = np.where(np.arange((types == 1).sum()) == 0, 1, 0)
    excluded = rng.integers(0, n, (2 * n, 2))
    edges = np.linspace(low, 0.5 * np.diag(box).min(), 31)
    x = liquid(2, n, box, seed=n)
    found = count_types(x, box, types, excluded, PAIRS, edges, threads=2)
    for pair, counts in zip(PAIRS, found, strict=True):
        pairs = pair_list(types, excluded[excluded[:, 0] != excluded[:, 1]], pair)
        shortest = np.inf
        for frame in range(2):
            expected, nearest = by_all_images(x[frame], box, pairs, edges)
            assert np.array_equal(counts.counts[frame], expected)
            shortest = min(shortest, nearest)
        assert counts.shortest == pytest.approx(shortest if shortest < edges[-1] else np.inf, rel=1e-9)
        shells = 4 / 3 * np.pi * np.diff(edges**3)
        assert counts.ideal == pytest.approx(np.tile(len(pairs) * shells / np.linalg.det(box), (2, 1)))


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
def test_it_counts_as_mdtraj_does(box):
    """A dense system with many clusters; distances in single precision may fall on the other side of an edge."""
    x, types, edges = liquid(2, 1500, 2 * box, seed=4), np.arange(1500) % 2, np.linspace(0, 1.2, 61)
    for counts, pair in zip(
        count_types(x, 2 * box, types, None, [(0, 1), (1, 1)], edges), [(0, 1), (1, 1)], strict=True
    ):
        other = count_pairs(x, 2 * box, pair_list(types, None, pair), edges)
        assert np.abs(counts.counts - other.counts).sum() <= 20 < 2e-3 * counts.counts.sum()
        assert counts.shortest == pytest.approx(other.shortest, abs=1e-5)


def test_threads_and_companions_change_nothing():
    box, edges = BOXES["triclinic"], np.linspace(0, 1.3, 40)
    x = liquid(7, 200, box, seed=9)
    one = count_types(x, box, np.zeros(200, int), None, [(0, 0)], edges, threads=1)[0]
    for threads in (2, 3, 16):
        many = count_types(x, box, np.zeros(200, int), None, [(0, 0)], edges, threads=threads)[0]
        assert np.array_equal(one.counts, many.counts) and one.shortest == many.shortest
    typed = count_types(x, box, np.arange(200) % 3, None, [(a, b) for a in range(3) for b in range(a, 3)], edges)
    assert np.array_equal(sum(each.counts for each in typed), one.counts)


def test_what_cannot_be_counted_is_told():
    x = liquid(2, 5, BOXES["flat"], seed=1)
    x[1, 3, 2] = np.nan
    with pytest.raises(DiffPairError, match="the RDF of state 's': .*article 3"):
        count_types(x, BOXES["flat"], np.zeros(5, int), None, [(0, 0)], [0, 0.1, 0.2], name="state 's'")
    with pytest.raises(DiffPairError, match="bins of a histogram are too narrow"):  # their numbers are no ints
        count_types(x[:1], BOXES["flat"], np.zeros(5, int), None, [(0, 0)], [0.2, 0.2 + 1e-10])
    turned = BOXES["flat"][:, ::-1]
    with pytest.raises(DiffPairError, match="reduced form|half the box"):
        count_types(x[:1], turned, np.zeros(5, int), None, [(0, 0)], [0, 0.1, 0.2])
