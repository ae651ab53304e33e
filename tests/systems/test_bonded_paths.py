"""Paths of a graph of bonds: against networkx's simple paths, and counted by hand."""

from __future__ import annotations

from itertools import combinations

import networkx
import numpy as np
import pytest

from diffpair.systems.bonded_paths import bonded_paths, canonical


def simple_paths(bonds, length):
    """All paths of so many particles, each once, as networkx finds them."""
    graph = networkx.Graph(bonds)
    found = set()
    for a, b in combinations(sorted(graph), 2):
        for path in networkx.all_simple_paths(graph, a, b, cutoff=length - 1):
            if len(path) == length:
                found.add(min(tuple(path), tuple(path[::-1])))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("length", [2, 3, 4])
def test_paths_are_those_of_networkx(seed, length):
    rng = np.random.default_rng(seed)
    bonds = rng.integers(0, 14, (16, 2))
    bonds = bonds[bonds[:, 0] != bonds[:, 1]]
    names = [str(name) for name in rng.choice(["B", "A", "C"], 14)]
    found = bonded_paths(np.concatenate([bonds, bonds[:3, ::-1]]), names)
    paths = [tuple(path) for kind, rows in found.items() if len(kind) == length for path in rows.tolist()]
    assert sorted(min(path, path[::-1]) for path in paths) == sorted(simple_paths(bonds.tolist(), length))
    for kind, rows in found.items():
        assert kind == canonical(kind)
        for path in rows:
            assert tuple(names[i] for i in path) == kind


def test_a_chain_is_counted_by_hand():
    found = bonded_paths([(2, 1), (0, 1), (3, 2)], ["A", "B", "B", "A"])
    assert list(found) == [("A", "B"), ("B", "B"), ("A", "B", "B"), ("A", "B", "B", "A")]
    assert found["A", "B"].tolist() == [[0, 1], [3, 2]]
    assert found["A", "B", "B"].tolist() == [[0, 1, 2], [3, 2, 1]]
    assert found["A", "B", "B", "A"].tolist() == [[0, 1, 2, 3]]


def test_rings():
    three = bonded_paths([(0, 1), (1, 2), (2, 0)], "AAA")
    assert {len(kind): len(rows) for kind, rows in three.items()} == {2: 3, 3: 3}
    four = bonded_paths([(0, 1), (1, 2), (2, 3), (3, 0)], "AAAA")
    assert {len(kind): len(rows) for kind, rows in four.items()} == {2: 4, 3: 4, 4: 4}


def test_no_bonds():
    assert bonded_paths([], []) == {}


def test_canonical():
    assert canonical(["B", "A"]) == ("A", "B")
    assert canonical(("A", "B", "A", "A")) == ("A", "A", "B", "A")
