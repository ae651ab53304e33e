"""The numpy table: its definition against scipy's B-splines, and its ends."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import BSpline

from diffpair.errors import DiffPairError
from diffpair.tables import PairTable, limits


def random_table(types=("A", "B"), knots=12, r_min=0.3, cutoff=1.1, seed=0):
    rng = np.random.default_rng(seed)
    npairs = len(types) * (len(types) + 1) // 2
    coefficients = np.zeros((npairs, knots + 2))
    coefficients[:, :-3] = rng.normal(size=(npairs, knots - 1))
    return PairTable(types, r_min, cutoff, coefficients)


@pytest.mark.parametrize(("a", "b", "row"), [("A", "A", 0), ("A", "B", 1), ("B", "A", 1), (1, 1, 2), (1, 0, 1)])
def test_energy_and_force_are_the_spline(a, b, row):
    table = random_table()
    centres = table.r_min + table.spacing * np.arange(-3, table.knots + 3)
    spline = BSpline(centres, table.coefficients[row], 3)
    r = np.linspace(0.3, 1.0999, 400)
    np.testing.assert_allclose(table.energy(r, a, b), spline(r), atol=1e-13)
    np.testing.assert_allclose(table.force(r, a, b), -spline(r, 1), atol=1e-11)


def test_linear_below_r_min_and_zero_from_the_cutoff_on():
    table = random_table()
    slope = -table.force(0.3)
    np.testing.assert_allclose(table.energy([0.0, 0.2]), table.energy(0.3) + slope * np.array([-0.3, -0.1]), rtol=1e-13)
    np.testing.assert_allclose(table.force([0.0, 0.2]), -slope, rtol=1e-13)
    assert (table.energy([1.1, 1.2, 5.0]) == 0).all() and (table.force([1.1, 5.0]) == 0).all()
    for value in (table.energy(1.1 - 1e-5), table.force(1.1 - 1e-5)):
        assert abs(value) < 1e-5  # continuous at the cutoff


def test_example_of_the_specification():
    table = PairTable(("W",), 0.5, 0.9, [[8.0, 2.0, -1.0, -0.25, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(table.energy([0.5, 0.6]), [2.5, -0.375], rtol=1e-12)


def test_rows_of_three_types():
    table = random_table(("A", "B", "C"))
    assert table.pairs == [("A", "A"), ("A", "B"), ("A", "C"), ("B", "B"), ("B", "C"), ("C", "C")]
    assert [table.pair_index(a, b) for a, b in table.pairs] == list(range(6))
    assert table.pair_index(2, 1) == 4 and table.pair_name(4) == "B-C"


def test_nodes():
    table = random_table(knots=9, r_min=0.2, cutoff=1.0)
    assert table.knots == 9 and table.spacing == pytest.approx(0.1)
    np.testing.assert_allclose(table.nodes, np.arange(2, 11) / 10)


def test_is_immutable():
    coefficients = np.zeros((1, 8))
    table = PairTable(("A",), 0.1, 1.0, coefficients)
    coefficients[0, 0] = 1.0
    assert table.coefficients[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        table.coefficients[0, 0] = 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"types": ()}, "unique names"),
        ({"types": ("A", "A")}, "unique names"),
        ({"r_min": -0.1}, r"r_min = -0\.1 nm"),
        ({"r_min": 1.0}, "r_min < cutoff"),
        ({"cutoff": np.inf}, "cutoff = inf"),
        ({"types": ("A", "B")}, "2 types need 3 rows"),
        ({"coefficients": np.zeros((1, 6))}, "knots = 4 is too few"),
        ({"coefficients": np.zeros(8)}, "need 1 rows"),
        ({"cutoff": 1e160}, r"cutoff = 1e\+160 nm must be from 1e-06 to 1e\+06 nm"),
        ({"r_min": 0.0, "cutoff": 1e-160}, "must be from"),
        ({"r_min": 1 - 1e-7, "cutoff": 1.0}, "knots = 6 from 0.9999999 to 1.0 nm are too close"),
        ({"coefficients": [[0, 0, np.nan, 0, 0, 0, 0, 0]]}, "coefficient 2 of the pair A-A is nan"),
        ({"coefficients": [[1, 1, 1, 1, 1, 1, 0, 0]]}, "last three coefficients of the pair A-A must be 0"),
        ({"global_parameters": {"T": np.nan}}, "global parameter T is nan"),
    ],
)
def test_refusals(change, message):
    arguments = {"types": ("A",), "r_min": 0.1, "cutoff": 1.0, "coefficients": np.zeros((1, 8))}
    with pytest.raises(DiffPairError, match=message):
        PairTable(**(arguments | change))


def test_limits_are_those_of_cpp():
    header = (Path(__file__).parents[2] / "cpp/include/diffpair/Limits.h").read_text()
    there = {name: float(value) for name, value in re.findall(r"(\w+) = ([\de-]+)[,;]", header)}
    for name in ("smallestCutoff", "largestCutoff", "maxKnots", "maxTypes"):
        assert getattr(limits, re.sub("([A-Z])", r"_\1", name).upper()) == there[name]


@pytest.mark.parametrize(
    ("a", "message"), [("Z", "type 'Z' is not in the table, which has A, B"), (2, "index 2 is out")]
)
def test_unknown_type(a, message):
    with pytest.raises(DiffPairError, match=message):
        random_table().energy(0.5, a, 0)


def test_a_type_that_takes_no_part():
    table = random_table()
    inert = table.with_inert_type()
    assert inert.types == (*table.types, "none")
    for a in table.types:
        assert not inert.energy(0.5, a, "none").any()
        for b in table.types:
            assert inert.energy(0.5, a, b) == table.energy(0.5, a, b)
    with pytest.raises(DiffPairError, match="unique names"):
        inert.with_inert_type()
