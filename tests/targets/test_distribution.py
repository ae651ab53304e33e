"""Distributions of bonds, angles and dihedrals: their file, and what is none."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from diffpair.errors import DiffPairError
from diffpair.targets.distribution import Distribution

KINDS = {
    ("B", "A"): (np.linspace(0.3, 0.5, 41), 0.4, 0.02),
    ("A", "B", "A"): (np.radians(np.linspace(100, 180, 41)), 2.5, 0.1),
    ("A", "B", "B", "A"): (np.radians(np.linspace(-180, 180, 73)), 0.5, 0.5),
}


def normal(kind, shift=0.0):
    edges, mean, spread = KINDS[kind]
    p = np.diff(stats.norm.cdf(edges, mean + shift, spread)) / (edges[1] - edges[0])
    p /= p.sum() * (edges[1] - edges[0])
    return Distribution(kind, edges, p, 0.01 * p)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_written_file_reads_back(tmp_path, kind):
    made = normal(kind)
    made.write(tmp_path / "p.csv", ["made of\na normal distribution"])
    read = Distribution.read(tmp_path / "p.csv", kind[::-1])
    assert read.kind == made.kind == min(kind, kind[::-1])
    np.testing.assert_allclose(read.edges, made.edges, rtol=0, atol=1e-6)
    np.testing.assert_allclose(read.p, made.p, rtol=1e-7)
    np.testing.assert_allclose(read.error, made.error, rtol=1e-7)
    assert read.p.sum() * read.width == pytest.approx(1, abs=1e-12)


def test_angles_in_the_file_are_in_degrees(tmp_path):
    edges = np.radians(np.linspace(0, 180, 19))
    Distribution(("A", "A", "A"), edges, np.sin(0.5 * (edges[1:] + edges[:-1])) / 2).write(tmp_path / "p.csv")
    header, *rows = (tmp_path / "p.csv").read_text().splitlines()
    assert header == "theta_degree,p_per_degree"
    theta, p = np.loadtxt(rows, delimiter=",").T
    np.testing.assert_allclose(theta, np.arange(5, 180, 10))
    assert p.sum() * 10 == pytest.approx(1)


def test_l1_of_two_normal_distributions():
    """The integral of |p - q| of two normals a shift apart is 2 (2 Phi(shift / 2 sigma) - 1)."""
    kind = ("A", "B", "B", "A")
    a, b = normal(kind), normal(kind, 0.25)
    assert a.l1(b.p) == pytest.approx(2 * (2 * stats.norm.cdf(0.25) - 1), abs=0.01)
    assert a.l1(a.p) == 0


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("AB", None, "no such file; it should hold the distribution of bonds"),
        ("AB", "# nothing\n", "is empty"),
        (
            "AB",
            "r,p\n1,2",
            "line 1: the header of a distribution of bonds is r_nm,p_per_nm,error or r_nm,p_per_nm, not",
        ),
        ("AAA", "r_nm,p_per_nm\n1,2", "of angles is theta_degree,p_per_degree,error or"),
        ("AB", "r_nm,p_per_nm\n1,two\n", "line 2: '1,two' is no row of numbers"),
        ("AB", "r_nm,p_per_nm\n1,2,3\n", "line 2: has 3 values, but 2 columns have names"),
        ("AB", "r_nm,p_per_nm\n1,nan\n", "line 2: holds a number that is not finite"),
        ("AB", "r_nm,p_per_nm\n.1,1\n.2,1\n", "has 2 bins, but a distribution needs at least 4"),
        ("AB", "r_nm,p_per_nm\n.1,1\n.2,1\n.3,1\n.5,1\n", "r_nm must be the centres of even bins"),
        ("AB", "r_nm,p_per_nm\n.4,1\n.3,1\n.2,1\n.1,1\n", "in increasing order"),
        ("AB", "r_nm,p_per_nm\n.1,5\n.2,5\n.3,5\n.4,5\n", "its integral is 2, but that of a distribution is 1"),
        ("AB", "r_nm,p_per_nm\n.1,5\n.2,-5\n.3,5\n.4,5\n", r"p is negative at 0\.2 nm"),
        ("AB", "r_nm,p_per_nm\n0,2.5\n.1,2.5\n.2,2.5\n.3,2.5\n", "a bin reaches below 0, where no bond is"),
        ("AAA", "theta_degree,p_per_degree\n150,.025\n160,.025\n170,.025\n180,.025\n", "above 180 degrees"),
        (
            "AAAA",
            "phi_degree,p_per_degree\n0,.025\n10,.025\n20,.025\n30,.025\n",
            "from -180 to 180 degrees, not from",
        ),
        ("AAAAA", "phi_degree,p_per_degree\n", "has two, three or four types, not 5"),
    ],
)
def test_what_is_no_distribution(tmp_path, kind, text, message):
    path = tmp_path / "p.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DiffPairError, match=message) as refusal:
        Distribution.read(path, tuple(kind))
    assert re.match(re.escape(str(path)), str(refusal.value))


def test_arrays_that_do_not_fit():
    with pytest.raises(DiffPairError, match="bond A-B: p has 3 values for 4 bins"):
        Distribution(("A", "B"), np.linspace(0.1, 0.5, 5), np.ones(3))
    with pytest.raises(DiffPairError, match="bond A-B: its bins are not even"):
        Distribution(("A", "B"), np.array([0.1, 0.2, 0.3, 0.4, 0.6]), np.ones(4))
