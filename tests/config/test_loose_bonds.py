"""Molecules that nothing holds together are told of, whichever way a fit is made."""

from __future__ import annotations

import warnings

import numpy as np
import openmm as mm
import pytest
from bonded_files import write_files

import diffpair

KINDS = ("A-A", "A-B", "B-B")
SAID = "state 'liquid' has 54 bonds, but nothing holds them together: it has no System with a force or a constraint"
SPRING = diffpair.Bonded("A-B", form="harmonic", k=900.0, x0=0.4, fixed=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("trimers"))


def fit(folder, system: mm.System | None = None, bonded: tuple = (), **options) -> None:
    """A fit of the trimers in Python; their System is a file."""
    options |= {"masses": 20.0}
    if system is not None:
        (folder / "own.xml").write_text(mm.XmlSerializer.serialize(system))
        options |= {"xml": folder / "own.xml", "masses": None}
    targets = [diffpair.Rdf(*kind.split("-"), folder / "rdf.csv") for kind in KINDS]
    state = diffpair.State.from_files(
        "liquid", folder / "trimers.pdb", types={"A1": "A", "A2": "A", "B1": "B"}, temperature=300.0,
        targets=targets, **options,
    )  # fmt: skip
    diffpair.Fit(
        diffpair.Potential("bspline", cutoff=1.0), state, bonded=bonded,
        sampling=diffpair.Sampling(timestep=0.004), progress=False,
    )  # fmt: skip


def masses(*forces: mm.Force) -> mm.System:
    system = mm.System()
    for _ in range(81):
        system.addParticle(20.0)
    for force in forces:
        system.addForce(force)
    system.setDefaultPeriodicBoxVectors(*(3 * np.eye(3)))
    return system


@pytest.mark.parametrize("system", [None, masses(), masses(mm.CMMotionRemover())], ids=["none", "bare", "remover"])
def test_loose_bonds_are_told(folder, system):
    with pytest.warns(UserWarning, match=SAID):
        fit(folder, system)


def held() -> mm.System:
    spring = mm.HarmonicBondForce()
    spring.addBond(0, 1, 0.4, 900.0)
    return masses(spring)


def rigid() -> mm.System:
    system = masses()
    system.addConstraint(0, 1, 0.36)
    return system


@pytest.mark.parametrize(
    ("system", "options"),
    [(held(), {}), (rigid(), {}), (None, {"bonded": (SPRING,)}), (masses(), {"bonded": (SPRING,)}),
     (None, {"exclude_bonds": 0})],
    ids=["force", "constraint", "term", "term beside masses", "pair potential"],
)  # fmt: skip
def test_those_that_something_acts_on_are_not(folder, system, options):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*holds them together")
        fit(folder, system, **options)
