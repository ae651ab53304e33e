"""Cutoff and time step that a fit begins with, and names that YAML would misread."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import yaml
from scipy import stats
from tests.support.mapped import ARGON, BUTANE, MAP, topology_of

from diffpair.mapping.beads import BeadMap
from diffpair.mapping.fit_file import choose, fit_text, narrowest
from diffpair.mapping.kinds import find_kinds
from diffpair.mapping.measure import Measured
from diffpair.mapping.settings import MapSettings
from diffpair.targets import Distribution
from diffpair.trajectories.rdf import TrajectoryRdf

R = 0.005 + 0.01 * np.arange(150)


def rdf(contact):
    return TrajectoryRdf(R, (contact <= R) * 1.0, None, 0.0, 10, "pairs", 10.0)


def measured(contact=0.45, half_box=2.0, distributions=()):
    box = 2 * half_box * np.eye(3)
    return Measured(
        {("A", "A"): rdf(contact)}, {}, list(distributions), 1.0, None, box, np.zeros((4, 3)), half_box, 10
    )  # fmt: skip


def beads(molecules=None):
    given = MapSettings(temperature=300, molecules=molecules or MAP["molecules"][:1])
    return BeadMap(find_kinds(topology_of((BUTANE, 2), (ARGON, 1)), given))


def bond(spread):
    edges = np.linspace(0.2, 0.4, 201)
    return Distribution(("A", "A"), edges, np.diff(stats.norm.cdf(edges, 0.3, spread)) / 0.001)


@pytest.mark.parametrize(
    ("contact", "half_box", "cutoff", "reason"),
    [
        (0.45, 2.0, 1.15, r"2.5 times the longest contact distance, 0.455 nm of A-A"),
        (0.30, 2.0, 0.9, "0.9 nm are the least"),
        (0.45, 1.0, 0.99, "half of the smallest box; 1.15 nm would suit"),
    ],
)
def test_cutoff(contact, half_box, cutoff, reason):
    chosen = choose(measured(contact, half_box), beads(), 300)
    assert chosen.cutoff == pytest.approx(cutoff)
    assert reason in chosen.cutoff_reason


def test_cutoff_between_chains():
    """g of a liquid in a hole that closes slowly: the beads touch where those of the liquid do."""
    r = 0.005 + 0.01 * np.arange(300)
    shells = np.where(r < 0.4, 0.0, 1 + 0.5 * np.exp(-(r - 0.4) / 0.3) * np.sin(2 * np.pi * (r - 0.4) / 0.4))
    hole = 1.02 * (1 - 0.9 * np.exp(-r / 0.6))
    found = []
    for g in (shells, shells * hole):
        pairs = {("A", "A"): dataclasses.replace(rdf(0.4), r=r, g=g)}
        found.append(choose(dataclasses.replace(measured(half_box=3.0), rdfs=pairs), beads(), 300))
    liquid, chains = found
    assert r[np.argmax(shells * hole >= 1)] > 1, "2.5 times that would be 2.5 nm"
    assert liquid.cutoff_reason == "2.5 times the longest contact distance, 0.405 nm of A-A"
    assert liquid.cutoff == pytest.approx(1.05) and liquid.cutoff <= chains.cutoff <= 1.25
    assert chains.cutoff_reason.endswith(" there and reaches 1 far out only, as between chains")


def test_timestep_of_free_beads():
    """0.005 sqrt(m sigma^2 / kT), rounded down: 26 amu, 0.455 nm and 2.494 kJ/mol give 7.35 fs."""
    chosen = choose(measured(), beads(), 300)
    assert chosen.timestep == 6 and chosen.timestep_reason == "the lightest bead, 26.04 amu"
    assert choose(measured(), beads(), 1000).timestep == 4


def test_timestep_of_bonded_beads():
    """Spread 0.005 nm and 13 amu: a period of 2 pi sqrt(13 0.005^2 / 2.494) ps = 72 fs."""
    chosen = choose(measured(distributions=[bond(0.005)]), beads(), 300)
    assert chosen.timestep == 2 and chosen.timestep_reason.startswith("the bond A-A, whose period is about 72")


def test_the_narrowest_peak_counts():
    assert narrowest(bond(0.01)) == pytest.approx(0.01, rel=0.01)
    two = bond(0.01)
    moved = dataclasses.replace(two, p=0.5 * (np.roll(two.p, 45) + np.roll(two.p, -45)))
    assert narrowest(moved) == pytest.approx(0.02, rel=0.01), "half as high, as one of twice the spread"


def test_names_that_yaml_reads_as_something_else():
    molecules = [
        {"residue": "AR", "beads": [{"name": "no", "type": "1e5", "atoms": ["AR"]}]},
        {"residue": "BUT", "beads": [{"type": "on", "select": "all"}]},
    ]
    settings = MapSettings(temperature=300, pressure=-2.5, molecules=molecules)
    made = beads(molecules)
    found = dataclasses.replace(measured(), rdfs={("1e5", "on"): rdf(0.4), ("on", "on"): rdf(0.4)})
    files = {pair: f"rdf-{'-'.join(pair)}.csv" for pair in found.rdfs}
    text = fit_text(found, made, settings, choose(found, made, 300), "beads.pdb", files, {}, ["made"])
    config = yaml.safe_load(text)
    assert config["potential"]["pairs"] == [["1e5", "on"], ["on", "on"]], "one atom of 1e5 has no pairs of its own"
    (state,) = config["states"]
    assert state["system"]["types"] == {"no": "1e5", "on": "on"}
    assert state["targets"][0]["rdf"]["pair"] == ["1e5", "on"]
    assert state["targets"][-1] == {"pressure": {"value": "-2.5 bar"}}
