"""The Ornstein-Zernike relation between sites of molecules: their structure factor, and c found again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from closure import KELVIN

from diffpair.fit.start.hypernetted_chain import HypernettedChain
from diffpair.fit.start.single_molecule import single_molecules, square_root, whole_molecules_excluded
from diffpair.states import State, build_lattice
from diffpair.targets import RdfTarget

K = np.array([1e-6, 0.7, 3.0, 11.0, 40.0])


def sinc(x):
    return np.sin(x) / x


def molecules(places, types, number=27, box=12.0, rest=0, **changes) -> State:
    """Copies of one rigid molecule, turned at random and split across the box, all of its pairs excluded; and `rest`
    single particles of the last type."""
    rng = np.random.default_rng(2)
    size, positions, exclusions = len(places), [], []
    for index in range(number):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        positions.append(np.array(places) @ turn + rng.uniform(0, box, 3))
        exclusions += [(size * index + i, size * index + j) for i in range(size) for j in range(i + 1, size)]
    positions.append(rng.uniform(0, box, (rest, 3)))
    whole = np.concatenate(positions) % box
    names = sorted(set(types))
    numbers = np.array([*[names.index(t) for t in types] * number, *[len(names) - 1] * rest])
    made = build_lattice("m", len(whole), len(whole) / box**3, {n: 1 / len(names) for n in names}, 1.0, KELVIN)
    return dataclasses.replace(
        made,
        positions=whole,
        types=numbers,
        type_names=tuple(names),
        exclusions=np.array(exclusions).reshape(-1, 2),
        **changes,
    )


def test_single_particles_have_a_structure_factor_of_one():
    state = molecules([[0, 0, 0]], "A")
    np.testing.assert_array_equal(single_molecules(state, [0], K), np.ones((5, 1, 1)))


def test_dimers():
    """One other site at a distance of 0.8; like sites, and unlike ones."""
    like = single_molecules(molecules([[0, 0, 0], [0.8, 0, 0]], "AA"), [0], K)
    np.testing.assert_allclose(like[:, 0, 0], 1 + sinc(0.8 * K), rtol=1e-9)
    unlike = single_molecules(molecules([[0, 0, 0], [0.8, 0, 0]], "AB"), [0, 1], K)
    np.testing.assert_allclose(unlike[:, 0, 0], 1)
    np.testing.assert_allclose(unlike[:, 0, 1], sinc(0.8 * K), rtol=1e-9)
    np.testing.assert_array_equal(unlike[:, 0, 1], unlike[:, 1, 0])


def test_trimers_beside_single_particles():
    """A-B-A, and as many B again on their own; the types in another order than the state's."""
    places = [[0.5, 0, 0], [0, 0, 0], [0, 0.5, 0]]
    state = molecules(places, "ABA", number=20, rest=20)
    found = single_molecules(state, [1, 0], K)
    np.testing.assert_allclose(found[:, 1, 1], 1 + sinc(np.sqrt(0.5) * K), rtol=1e-9)
    np.testing.assert_allclose(found[:, 0, 0], 1)
    np.testing.assert_allclose(found[:, 0, 1], 40 * sinc(0.5 * K) / np.sqrt(40 * 40), rtol=1e-9)
    sizes = found[0] @ np.sqrt([40.0, 40.0]) / np.sqrt([40.0, 40.0])  # k = 0: sites in the molecule of a site
    assert sizes == pytest.approx([2, 3])  # of a B: 3 or 1


def test_which_molecules_are_excluded_whole():
    dimers = molecules([[0, 0, 0], [0.8, 0, 0]], "AB")
    assert whole_molecules_excluded(dimers)
    assert whole_molecules_excluded(dataclasses.replace(dimers, bonds=dimers.exclusions))
    assert not whole_molecules_excluded(
        dataclasses.replace(dimers, exclusions=dimers.exclusions[1:], bonds=dimers.exclusions)
    )
    assert not whole_molecules_excluded(dataclasses.replace(dimers, bonds=np.array([[1, 2]])))  # joins two dimers


def test_square_roots():
    matrices = np.random.default_rng(0).normal(size=(7, 3, 3))
    matrices = matrices @ np.swapaxes(matrices, -1, -2)
    matrices[0] = 1.0  # singular, as W of a molecule is at k = 0
    root = square_root(matrices)
    np.testing.assert_allclose(root @ root, matrices, atol=1e-12)
    np.testing.assert_allclose(root, np.swapaxes(root, -1, -2), atol=1e-14)


@pytest.mark.parametrize("types", ["AA", "AB"])
def test_the_relation_of_dimers_is_inverted(types):
    """h of a chosen c and of rigid dimers, by the relation in plain NumPy: c and U come back, which the relation of
    single particles misses."""
    length, density, width = 0.6, 0.5, 0.7
    names = sorted(set(types))
    heights = -np.array([[0.6]]) if types == "AA" else -np.array([[0.6, 0.4], [0.4, 0.7]])
    k = np.linspace(1e-4, 40, 8000)
    single = np.repeat(np.eye(len(names))[None], len(k), 0)
    single[:, 0, -1] += sinc(length * k)
    single[:, -1, 0] = single[:, 0, -1]
    direct = density / len(names) * heights * (np.pi**1.5 * width**3 * np.exp(-((k * width) ** 2) / 4))[:, None, None]
    linked = single @ direct
    total = np.linalg.solve(np.eye(len(names)) - linked, linked @ single) * len(names) / density
    r = 0.02 * np.arange(1, 240)
    waves = k * np.sin(np.outer(r, k)) / (2 * np.pi**2 * r[:, None])
    h = np.trapezoid(waves[:, :, None, None] * total[None], k, axis=1)
    assert h.min() > -1 and np.abs(h[r > 4]).max() < 1e-3
    pairs = [(a, b) for a in range(len(names)) for b in range(a, len(names))]
    targets = [RdfTarget((names[a], names[b]), r, 1 + h[:, a, b]) for a, b in pairs]
    number = 250
    places, box = [[0, 0, 0], [length, 0, 0]], (2 * number / density) ** (1 / 3)
    state = molecules(places, types, number, box, targets=targets, temperature=KELVIN)
    chain = HypernettedChain(state, 0.8)
    alone = HypernettedChain(dataclasses.replace(state, exclusions=np.zeros((0, 2), dtype=np.int64)), 0.8)
    assert chain.reached == 1
    for a, b in pairs:
        inner = r < 3
        wanted = heights[a, b] * np.exp(-((r / width) ** 2))
        found, misled = (h[:, a, b] - made.indirect((names[a], names[b]), r) for made in (chain, alone))
        assert np.abs(found - wanted)[inner].max() < 0.01
        assert np.abs(misled - wanted)[inner].max() > 0.1
