"""g(r) as they come from papers: points picked off a curve, in the paper's unit, and curves of other programs."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.targets import read_rdf
from diffpair.targets.unit_check import check_unit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ARGON, LJ_DENSITY = 0.3405, 0.845  # sigma in nm


def curve(name):
    """r in nm and g of an example: of SPC/E water, or of a Lennard-Jones liquid of sigma 1 nm."""
    r, g = np.loadtxt(EXAMPLES / name, delimiter=",", skiprows=1)[:, :2].T
    return r, g


def digitised(r, g, points=70):
    """What a person picks off a plot: closer points where g is steep, none in the core but its ends, a baseline that is
    not quite 0, a pixel's error in g, and no even spacing."""
    random = np.random.default_rng(5)
    onset = r[np.argmax(g > 0.02)]
    rising = np.linspace(onset, r[-1], 4000)
    length = np.cumsum(1 + np.abs(np.gradient(np.interp(rising, r, g), rising)) * (r[-1] - onset) / 4)
    picked = np.interp(np.sort(random.uniform(length[0], length[-1], points)), length, rising)
    values = np.interp(picked, r, g) + 0.003 * random.integers(-1, 2, points)
    return np.concatenate([[0, 0.8 * onset, 0.97 * onset], picked]), np.concatenate([3 * [0.004], values.clip(0.004)])


def argon():
    """A liquid of 21.4 atoms per nm^3."""
    r, g = curve("lennard_jones/rdf.csv")
    return digitised(ARGON * r, g)


def large_beads(sigma):
    """One kind of a dilute mixture, on the even grid of a simulation."""
    r, g = curve("lennard_jones/rdf.csv")
    return sigma * r, g


@pytest.mark.parametrize(
    ("points", "unit", "header", "density"),
    [
        (argon(), "angstrom", "", LJ_DENSITY / ARGON**3),
        (argon(), "angstrom", "r_angstrom,g\n", LJ_DENSITY / ARGON**3),
        (digitised(*curve("water/spce_oo_300K.csv")), "angstrom", "r,g\n", 33.3),
        (large_beads(1.2), "nm", "r,g\n", 0.2),
        (large_beads(0.8), "nm", "", 0.6),
    ],
    ids=["argon", "argon whose header names the unit", "water", "large beads", "small beads"],
)
def test_curves_of_others(tmp_path, points, unit, header, density):
    r, g = points
    path = tmp_path / "g.csv"
    scale = 10 if unit == "angstrom" else 1
    path.write_text(header + "".join(f"{scale * x:.6f},{y:.6f}\n" for x, y in zip(r, g, strict=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        target = read_rdf(path, ("A", "A"), r_unit=unit)
    check_unit(target, density)
    assert 50 <= len(target.r) <= 250 and 2 < target.g.max() < 3.2
    here = target.r < r[-1]
    assert np.abs(target.g - np.interp(target.r, r, g))[here].mean() < 0.02
    other = "nm" if unit == "angstrom" else "angstrom"
    with pytest.raises(DiffPairError, match=f"r_unit is {other}|not to be in {other}|r_unit = {other} right"):
        check_unit(read_rdf(path, ("A", "A"), r_unit=other), density)
