"""The plain histogram: MDTraj's numbers, the ideal gas on paper, several types, exclusions."""

import mdtraj
import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.observables import rdf
from diffpair.observables.rdf import count_pairs, histogram_rdf, pair_list

CUBE = np.diag([3.0, 3.0, 3.0])
TRICLINIC = np.array([[3.0, 0, 0], [0.7, 2.9, 0], [-0.9, 0.6, 2.8]])
EDGES = np.linspace(0.1, 1.4, 53)


def gas(frames, n, box, seed=0):
    return np.random.default_rng(seed).random((frames, n, 3)) @ box


def by_mdtraj(x, box, pairs):
    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for _ in range(x.shape[1]):
        topology.add_atom("A", mdtraj.element.argon, topology.add_residue("A", chain))
    trajectory = mdtraj.Trajectory(x, topology)
    trajectory.unitcell_vectors = np.repeat(box[None], len(x), axis=0)
    return mdtraj.compute_rdf(trajectory, pairs, r_range=(EDGES[0], EDGES[-1]), n_bins=len(EDGES) - 1)[1]


@pytest.mark.parametrize("box", [CUBE, TRICLINIC], ids=["cube", "triclinic"])
def test_numbers_are_those_of_mdtraj(box):
    x = rdf._wrapped(gas(5, 60, box), np.repeat(box[None], 5, axis=0))
    types = np.arange(60) % 3 // 2
    for pair in ((0, 0), (0, 1), (1, 1)):
        ours = histogram_rdf(x, np.repeat(box[None], 5, axis=0), types, None, pair, EDGES)
        assert np.allclose(ours, by_mdtraj(x, box, pair_list(types, None, pair)), rtol=1e-6, atol=0)


@pytest.mark.parametrize("box", [CUBE, TRICLINIC], ids=["cube", "triclinic"])
def test_triclinic_distances_against_all_images(box):
    x = gas(1, 40, box, seed=3)
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3) @ box
    pairs = pair_list(np.zeros(40), None, (0, 0))
    separation = x[0, pairs[:, 0]] - x[0, pairs[:, 1]]
    distances = np.linalg.norm(separation[:, None] + shifts, axis=2).min(axis=1)
    counts = count_pairs(x, box, pairs, EDGES)
    assert np.abs(counts.counts[0] - np.histogram(distances, EDGES)[0]).sum() <= 2  # two may round over an edge
    assert counts.shortest == pytest.approx(distances.min(), rel=1e-5)


def test_ideal_gas_is_one_for_every_pair_of_types():
    x = gas(400, 90, CUBE)
    types = np.repeat([0, 1], [30, 60])
    for pair in ((0, 0), (0, 1), (1, 1)):
        found = count_pairs(x, CUBE, pair_list(types, None, pair), EDGES)
        deviation = (found.counts.sum(axis=0) - found.ideal.sum(axis=0)) / np.sqrt(found.ideal.sum(axis=0))
        assert np.abs(deviation).max() < 4.5 and abs(deviation.mean()) < 4.5 / np.sqrt(len(deviation))
        assert np.allclose(found.g(), 1, atol=0.2)


def test_ideal_gas_of_dimers_is_one_once_the_bonds_are_excluded():
    centres = gas(300, 40, CUBE, seed=5)
    direction = np.random.default_rng(6).normal(size=centres.shape)
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    x = np.concatenate([centres - 0.15 * direction, centres + 0.15 * direction], axis=1)
    bonds = np.stack([np.arange(40) + 40, np.arange(40)], axis=1)
    types = np.zeros(80, dtype=int)
    peak = np.digitize(0.3, EDGES) - 1
    assert histogram_rdf(x, CUBE, types, None, (0, 0), EDGES)[max(0, peak - 1) : peak + 1].max() > 3
    without = histogram_rdf(x, CUBE, types, bonds, (0, 0), EDGES)
    assert without.mean() == pytest.approx(1, abs=0.02) and np.allclose(without, 1, atol=0.25)


def test_pair_lists():
    types = np.array([0, 1, 0, 1, 0])
    assert len(pair_list(types, None, (0, 0))) == 3
    assert len(pair_list(types, None, (0, 1))) == len(pair_list(types, None, (1, 0))) == 6
    assert len(pair_list(types, None, (1, 1))) == 1
    left = pair_list(types, [[2, 0], [0, 2], [3, 0]], (0, 0))
    assert sorted(map(tuple, left)) == [(0, 4), (2, 4)]
    assert len(pair_list(types, [[2, 0], [3, 0]], (0, 1))) == 5


def test_chunks_and_images_change_nothing(monkeypatch):
    x = gas(7, 30, TRICLINIC)
    pairs = pair_list(np.zeros(30), None, (0, 0))
    whole = count_pairs(x, TRICLINIC, pairs, EDGES)
    monkeypatch.setattr(rdf, "_DISTANCES_PER_CHUNK", 2 * len(pairs))
    moved = x + np.random.default_rng(1).integers(-50, 50, x.shape) @ TRICLINIC
    assert np.abs(count_pairs(moved, TRICLINIC, pairs, EDGES).counts - whole.counts).sum() <= 4
    assert np.array_equal(count_pairs(x, TRICLINIC, pairs, EDGES).counts, whole.counts)


def test_refusals():
    x, pairs = gas(1, 10, CUBE), pair_list(np.zeros(10), None, (0, 0))
    with pytest.raises(DiffPairError, match=r"the RDF of state 's' reaches to 1.6 nm, beyond half the box \(1.5 nm\)"):
        count_pairs(x, CUBE, pairs, np.linspace(0, 1.6, 11), name="state 's'")
    with pytest.raises(DiffPairError, match="not an even, rising grid"):
        count_pairs(x, CUBE, pairs, [0.1, 0.2, 0.4])
