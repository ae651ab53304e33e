"""Targets that count the excluded pairs of a state are told, and good ones are not."""

import warnings

import numpy as np
import pytest
from scipy.stats import norm

from diffpair.states import State
from diffpair.states.excluded_peaks import warn_about_excluded_peaks
from diffpair.targets import RdfTarget

EDGE, COUNT = 4.0, 200


def dimers(bond, spread=0.02):
    """`COUNT` dimers of random places and directions, wrapped into the box."""
    rng = np.random.default_rng(0)
    first = EDGE * rng.random((COUNT, 3))
    along = rng.normal(size=(COUNT, 3))
    along *= (bond * (1 + spread * rng.normal(size=COUNT)) / np.linalg.norm(along, axis=1))[:, None]
    x = np.stack([first, first + along], axis=1).reshape(-1, 3) % EDGE
    exclusions = np.arange(2 * COUNT).reshape(-1, 2)
    types = np.zeros(2 * COUNT, dtype=np.int64)
    return State("d", ("A",), types, np.ones(2 * COUNT), x, EDGE * np.eye(3), exclusions, 300.0)


def liquid(r, contact, height=2.8, width=0.09):
    """A first peak, a minimum and a second peak, as liquids have them."""
    x = r / contact
    peaks = (height - 1) * np.exp(-(((x - 1.1) / width) ** 2)) - 0.4 * np.exp(-(((x - 1.5) / 0.15) ** 2))
    return (1 + peaks + 0.2 * np.exp(-(((x - 2.0) / 0.2) ** 2))) / (1 + np.exp(-(x - 1.0) / 0.012))


def told(state, r, g):
    state.targets = [RdfTarget(("A", "A"), r, g)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_about_excluded_peaks(state)
    return [str(warning.message) for warning in caught]


def with_bonds(r, g, bond, part=1.0):
    """g of all pairs: the liquid's, and the bonds' as a Gaussian peak of as many pairs as they are."""
    pairs, width = 2 * COUNT * (2 * COUNT - 1) / 2, r[1] - r[0]
    edges = np.append(r, r[-1] + width) - width / 2
    found = part * COUNT * np.diff(norm.cdf(edges, bond, 0.02 * bond))
    return g + found / (pairs / EDGE**3 * 4 / 3 * np.pi * np.diff(edges**3))


@pytest.mark.parametrize(("bond", "width"), [(0.15, 0.004), (0.15, 0.02), (0.3, 0.004), (0.3, 0.02), (0.38, 0.004)])
@pytest.mark.parametrize("part", [0.7, 1.0])
def test_bonds_in_a_target_are_told(bond, width, part):
    r = 0.1 + width * (np.arange(round(1.6 / width)) + 0.5)
    (message,) = told(dimers(bond), r, with_bonds(r, liquid(r, 0.42), bond, part))
    assert "target A-A: g has a peak of " in message and "state 'd' has 200 pairs A-A that are excluded" in message
    assert float(message.split("r = ")[1].split()[0]) == pytest.approx(bond, abs=max(width, 0.05 * bond))


@pytest.mark.parametrize("bond", [0.15, 0.3, 0.38, 0.42, 0.46, 0.5, 0.6, 0.8])
@pytest.mark.parametrize(("height", "width"), [(1.2, 0.12), (2.8, 0.09), (3.5, 0.06), (1.0, 0.09)])
def test_targets_without_bonds_are_not(bond, height, width):
    r = 0.1 + 0.01 * (np.arange(170) + 0.5)
    assert told(dimers(bond), r, liquid(r, 0.42, height, width)) == []


def test_a_range_without_the_bonds_is_not_told():
    r = 0.4 + 0.01 * (np.arange(140) + 0.5)
    assert told(dimers(0.3), r, liquid(r, 0.42)) == []
