"""Tables and states small enough to reason about."""

import numpy as np
import pytest

from diffpair.states import build_lattice
from diffpair.tables import PairTable


def _table(u, r_min, cutoff, knots=80, types=("A",)):
    """Values at the knots as coefficients: a slightly smoothed u, smooth at the cutoff."""
    nodes = r_min + (cutoff - r_min) / (knots - 1) * (np.arange(knots + 2) - 1)
    pairs = len(types) * (len(types) + 1) // 2
    coefficients = np.tile(u(nodes), (pairs, 1))
    coefficients[:, -3:] = 0
    return PairTable(types, r_min, cutoff, coefficients)


@pytest.fixture(scope="session")
def table_of():
    """table_of(u, r_min, cutoff) -> PairTable"""
    return _table


@pytest.fixture(scope="session")
def lj_table():
    """Lennard-Jones with sigma 1 nm and epsilon 1 kJ/mol, ends at 2.5 nm."""
    shift = 4 * (2.5**-12 - 2.5**-6)
    return _table(lambda r: 4 * (r**-12 - r**-6) - shift, 0.8, 2.5)


@pytest.fixture(scope="session")
def no_table():
    """No interaction at all: an ideal gas."""
    return _table(np.zeros_like, 0.0, 1.0)


@pytest.fixture
def liquid():
    """LJ liquid at rho* 0.845, T* 1, 108 atoms, as a lattice; half the box is 2.52 nm."""
    return build_lattice("liquid", 108, 0.845, {"A": 1.0}, 1.0, 120.27)


@pytest.fixture
def gas():
    """64 particles in a box of 4 nm."""
    return build_lattice("gas", 64, 1.0, {"A": 1.0}, 1.0, 120.27)
