"""Systems that would change the ensemble, and exclusions that contradict the System's."""

import numpy as np
import openmm as mm
import pytest
from openmm import app, unit

from diffpair.errors import DiffPairError
from diffpair.states import build_from_files

EDGE = 3.0


@pytest.fixture
def build(tmp_path):
    """build(forces...) -> state: a chain of five beads under bonds and further forces; `x` its coordinates."""

    def make(*forces, edge=EDGE, step=0.3, mass=10.0, **options):
        topology, system, bonds = app.Topology(), mm.System(), mm.HarmonicBondForce()
        chain = topology.addChain()
        residue = topology.addResidue("POL", chain)
        for k in range(5):
            topology.addAtom(f"B{k}", None, residue)
            system.addParticle(mass)
            if k:
                bonds.addBond(k - 1, k, 0.3, 1000.0)
        topology.setPeriodicBoxVectors(np.eye(3) * EDGE * unit.nanometer)
        system.setDefaultPeriodicBoxVectors(*(np.eye(3) * edge))
        for force in (bonds, *forces):
            system.addForce(force)
        x = np.array([[0.5 + step * k, 1.0, 1.0] for k in range(5)])
        with (tmp_path / "b.pdb").open("w") as file:
            app.PDBFile.writeFile(topology, x * unit.nanometer, file)
        (tmp_path / "s.xml").write_text(mm.XmlSerializer.serialize(system))
        return build_from_files("melt", tmp_path / "b.pdb", tmp_path / "s.xml", {"POL": "B"}, **options)

    return make


def nonbonded(exceptions, charge=0.0, method=mm.NonbondedForce.CutoffPeriodic):
    force = mm.NonbondedForce()
    for _ in range(5):
        force.addParticle(charge, 0.3, 0.0)
    for i, j in exceptions:
        force.addException(i, j, 0.0, 0.3, 0.0)
    force.setNonbondedMethod(method)
    return force


NEIGHBOURS = [(0, 1), (1, 2), (2, 3), (3, 4)]
SECOND = [(0, 2), (1, 3), (2, 4)]


@pytest.mark.parametrize(
    ("force", "message"),
    [
        (
            mm.MonteCarloBarostat(1.0, 310.0),
            "its MonteCarloBarostat has a temperature of 310 K, but the state one of 300 K: the two must be equal",
        ),
        (mm.MonteCarloBarostat(1.0, 300.0, 0), "its MonteCarloBarostat has a frequency of 0 and never acts"),
        (
            mm.MonteCarloAnisotropicBarostat(mm.Vec3(1, 1, 1), 300.0, False, False, False),
            "its MonteCarloAnisotropicBarostat scales no axis of the box",
        ),
        (
            mm.MonteCarloFlexibleBarostat(1.0, 300.0),
            "it holds a MonteCarloFlexibleBarostat, but nothing holds the shape of a fluid's box",
        ),
        (mm.AndersenThermostat(280.0, 1.0), "holds a thermostat of its own, AndersenThermostat"),
        (mm.DrudeForce(), "holds a DrudeForce, whose particles need an integrator of their own"),
        (mm.GBSAOBCForce(), "its GBSAOBCForce is not periodic"),
        (nonbonded([], 0.1, mm.NonbondedForce.NoCutoff), "its NonbondedForce is not periodic, but the state is"),
    ],
)
def test_another_ensemble_is_refused(build, force, message):
    with pytest.raises(DiffPairError, match=r"s\.xml: ") as refusal:
        build(force)
    assert message in str(refusal.value)


def test_what_changes_nothing_is_taken(build):
    state = build(mm.CMMotionRemover(), nonbonded([], 0.0, mm.NonbondedForce.NoCutoff))
    assert len(state.exclusions) == 0 and state.base_system.getNumForces() == 3


def test_charges_that_a_parameter_gives_do_act(build):
    force = nonbonded([], 0.0, mm.NonbondedForce.NoCutoff)
    force.addGlobalParameter("lambda", 1.0)
    force.addParticleParameterOffset("lambda", 0, 1.0, 0.0, 0.0)
    with pytest.raises(DiffPairError, match="its NonbondedForce is not periodic"):
        build(force)


def test_two_barostats(build):
    with pytest.raises(DiffPairError, match=r"s\.xml: it holds two barostats, MonteCarloBarostat and MonteCarloMem"):
        build(mm.MonteCarloBarostat(1.0, 300.0), mm.MonteCarloMembraneBarostat(1.0, 0.0, 300.0, 0, 0))


def test_frozen_particles_under_a_barostat(build):
    with pytest.raises(
        DiffPairError, match=r"s\.xml: particle 0 has no mass and stays in place, but its MonteCarloBar"
    ):
        build(mm.MonteCarloBarostat(1.0, 300.0), mass=0.0)


@pytest.mark.parametrize(
    ("barostat", "pressure"),
    [
        (mm.MonteCarloBarostat(2.0, 300.0), 2.0),
        (mm.MonteCarloAnisotropicBarostat(mm.Vec3(1, 2, 4), 300.0, False, True, True), 3.0),
        (mm.MonteCarloMembraneBarostat(5.0, 20.0, 300.0, 0, 0), 5.0),
    ],
)
def test_a_barostat_holds_the_pressure_of_the_state(build, barostat, pressure):
    state = build(barostat)
    assert type(state.barostat) is type(barostat) and state.barostat_pressure == pressure
    assert build().barostat is None and build().barostat_pressure is None


def test_molecules_in_two_pieces(build):
    with pytest.raises(DiffPairError, match=r"the bond of particles 2 and 3 is 1\.6 nm long .* make it whole"):
        build(step=1.6)


def test_boxes_that_differ_are_told(build):
    with pytest.warns(UserWarning, match=r"s\.xml has a box of 4 x 4 x 4 nm, the structure file one of 3 x 3 x 3 nm"):
        assert build(edge=4.0).box[0, 0] == EDGE


@pytest.mark.parametrize(("given", "pairs"), [(None, NEIGHBOURS), (1, NEIGHBOURS), (0, [])])
def test_exclusions_without_a_contradiction(build, given, pairs, recwarn):
    """The System's own by default; none at all stands beside any other force."""
    state = build(nonbonded(NEIGHBOURS), exclude_bonds=given)
    assert [tuple(pair) for pair in state.exclusions] == pairs
    assert not [w for w in recwarn if "exclude" in str(w.message)]


def test_exclusions_that_contradict_the_system_are_taken_and_told(build):
    with pytest.warns(
        UserWarning,
        match=r"'melt' excludes the 7 pairs that are at most 2 bonds apart, but the System's NonbondedForce excludes 4",
    ):
        state = build(nonbonded(NEIGHBOURS), exclude_bonds=2)
    assert sorted(tuple(pair) for pair in state.exclusions) == sorted(NEIGHBOURS + SECOND)


def test_bonds_of_the_system_count_without_a_nonbonded_force(build):
    assert len(build().exclusions) == 9 and len(build(exclude_bonds=1).exclusions) == 4
