"""<PairTableForce> in a force field's XML: openmm.app.ForceField builds Systems with a learned table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openmm
import pytest
from openmm import app, unit

from diffpair import DiffPairError, PairTable, PairTableForce

HEAD = """
 <AtomTypes>
  <Type name="head" class="H1" mass="50"/>
  <Type name="tail" class="T1" mass="30"/>
  <Type name="end" class="T1" mass="30"/>
 </AtomTypes>
 <Residues>
  <Residue name="LIP">
   <Atom name="H" type="head"/> <Atom name="T1" type="tail"/> <Atom name="T2" type="tail"/> <Atom name="T3" type="end"/>
   <Bond atomName1="H" atomName2="T1"/> <Bond atomName1="T1" atomName2="T2"/> <Bond atomName1="T2" atomName2="T3"/>
  </Residue>
  <Residue name="ION"><Atom name="I" type="head"/></Residue>
 </Residues>
"""
ATOMS = '<Atom type="head" potentialType="P"/><Atom class="T1" potentialType="Q"/>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name, types in (("potential.json", ("P", "Q")), ("named.json", ("head", "T1"))):
        coefficients = np.zeros((3, 22))
        coefficients[:, :-3] = random.normal(size=(3, 19))
        PairTable(types, 0.3, 0.9, coefficients).save(tmp_path / name)
    return tmp_path


def load(folder: Path, content: str) -> app.ForceField:
    (folder / "field.xml").write_text(f"<ForceField>{HEAD}{content}</ForceField>")
    return app.ForceField(str(folder / "field.xml"))


def make_topology(residues: tuple[str, ...] = ("LIP", "LIP", "ION")) -> app.Topology:
    topology = app.Topology()
    chain = topology.addChain()
    for name in residues:
        residue = topology.addResidue(name, chain)
        names = ("H", "T1", "T2", "T3") if name == "LIP" else ("I",)
        atoms = [topology.addAtom(atom, None, residue) for atom in names]
        for first, second in zip(atoms, atoms[1:], strict=False):
            topology.addBond(first, second)
    topology.setPeriodicBoxVectors(np.eye(3) * 3.0 * unit.nanometer)
    return topology


def test_atoms_that_take_no_part(folder):
    atoms = '<Atom type="head" potentialType="P"/><Atom class="T1" potentialType="none"/>'
    field = load(folder, f'<PairTableForce file="potential.json" bondCutoff="1">{atoms}</PairTableForce>')
    system = field.createSystem(make_topology(), nonbondedMethod=app.CutoffPeriodic, nonbondedCutoff=0.9)
    (force,) = forces_of(system)
    assert force.getTable() == PairTable.load(folder / "potential.json").with_inert_type()
    assert [force.getParticleType(i) for i in range(9)] == [0, 2, 2, 2, 0, 2, 2, 2, 0]


def forces_of(system: openmm.System) -> list[PairTableForce]:
    return [PairTableForce.cast(force) for force in system.getForces() if PairTableForce.isinstance(force)]


def exclusions_of(force: PairTableForce) -> set[tuple[int, int]]:
    return {tuple(sorted(force.getExclusionParticles(i))) for i in range(force.getNumExclusions())}


def test_types_classes_and_exclusions(folder):
    field = load(folder, f'<PairTableForce file="potential.json" bondCutoff="2">{ATOMS}</PairTableForce>')
    system = field.createSystem(make_topology(), nonbondedMethod=app.CutoffPeriodic, nonbondedCutoff=9 * unit.angstrom)
    (force,) = forces_of(system)
    assert force.getTable() == PairTable.load(folder / "potential.json")
    assert [force.getParticleType(i) for i in range(9)] == [0, 1, 1, 1, 0, 1, 1, 1, 0]
    molecule = {(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)}
    assert exclusions_of(force) == molecule | {(a + 4, b + 4) for a, b in molecule}
    assert force.getNonbondedMethod() == PairTableForce.CutoffPeriodic
    assert force.getCutoffDistance()._value == 0.9


def test_energy_is_that_of_the_force_made_by_hand(folder):
    field = load(folder, f'<PairTableForce file="potential.json" bondCutoff="3">{ATOMS}</PairTableForce>')
    system = field.createSystem(make_topology(), nonbondedMethod=app.CutoffPeriodic, nonbondedCutoff=1.2)
    by_hand = PairTableForce.fromFile(str(folder / "potential.json"))
    for particle_type in (0, 1, 1, 1, 0, 1, 1, 1, 0):
        by_hand.addParticle(particle_type)
    for first in (0, 4):
        for pair in np.ndindex(4, 4):
            if pair[0] < pair[1]:
                by_hand.addExclusion(first + pair[0], first + pair[1])
    by_hand.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    by_hand.setForceGroup(1)
    system.addForce(by_hand)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    context.setPositions(np.random.default_rng(1).random((9, 3)))
    energies = [context.getState(energy=True, groups={group}).getPotentialEnergy()._value for group in (0, 1)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-12) and energies[0] != 0


def test_one_field_makes_several_systems(folder):
    field = load(folder, f'<PairTableForce file="potential.json" bondCutoff="1">{ATOMS}</PairTableForce>')
    for names, particles in ((("LIP",), 4), (("ION", "ION", "LIP"), 6)):
        system = field.createSystem(make_topology(names))
        (force,) = forces_of(system)
        assert (force.getNumParticles(), force.getNumExclusions()) == (particles, 3)


def test_methods(folder):
    field = load(folder, f'<PairTableForce file="potential.json" bondCutoff="1">{ATOMS}</PairTableForce>')
    for method, expected in (
        (app.NoCutoff, PairTableForce.NoCutoff),
        (app.CutoffNonPeriodic, PairTableForce.CutoffNonPeriodic),
        (app.PME, PairTableForce.CutoffPeriodic),
    ):
        system = field.createSystem(make_topology(), nonbondedMethod=method)
        (force,) = forces_of(system)
        assert force.getNonbondedMethod() == expected


def test_names_without_an_entry_are_their_own(folder):
    field = load(folder, '<PairTableForce file="named.json" bondCutoff="0"/>')
    system = field.createSystem(make_topology())
    (force,) = forces_of(system)
    assert [force.getParticleType(i) for i in range(5)] == [0, 1, 1, 1, 0]
    assert force.getNumExclusions() == 0


def test_two_files_share_one_force_and_two_potentials_make_two(folder):
    (folder / "more.xml").write_text(
        '<ForceField><PairTableForce file="potential.json"><Atom class="T1" potentialType="Q"/></PairTableForce>'
        '<PairTableForce file="named.json"/></ForceField>'
    )
    content = '<PairTableForce file="potential.json"><Atom type="head" potentialType="P"/></PairTableForce>'
    (folder / "field.xml").write_text(f"<ForceField>{HEAD}{content}</ForceField>")
    field = app.ForceField(str(folder / "field.xml"), str(folder / "more.xml"))
    system = field.createSystem(make_topology(("ION", "ION")))
    assert [force.getTypeName(0) for force in forces_of(system)] == ["P", "head"]


def test_file_in_the_working_directory(folder, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "potential.json").rename(elsewhere / "potential.json")
    monkeypatch.chdir(elsewhere)
    field = load(folder, f'<PairTableForce file="potential.json" bondCutoff="1">{ATOMS}</PairTableForce>')
    assert len(forces_of(field.createSystem(make_topology()))) == 1


def test_file_beside_an_xml_that_is_a_path_or_an_open_file(folder):
    load(folder, f'<PairTableForce file="potential.json" bondCutoff="1">{ATOMS}</PairTableForce>')
    with (folder / "field.xml").open("rb") as stream:
        fields = [app.ForceField(folder / "field.xml"), app.ForceField(stream)]
    assert all(len(forces_of(field.createSystem(make_topology()))) == 1 for field in fields)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("<PairTableForce/>", 'needs file="..."'),
        ('<PairTableForce file="none.json"/>', 'file="none.json">: there is no such file in '),
        ('<PairTableForce file="field.xml"/>', "field.xml: not a potential file but a force field in XML"),
        ('<PairTableForce file="potential.json" bondcutoff="1"/>', 'unknown attribute "bondcutoff"'),
        ('<PairTableForce file="potential.json" bondCutoff="-1"/>', 'number of bonds, not "-1"'),
        ('<PairTableForce file="potential.json"><Atom potentialType="P"/></PairTableForce>', "but expects <Atom type"),
        ('<PairTableForce file="potential.json"><Bond type="head"/></PairTableForce>', "holds <Bond type"),
        ('<PairTableForce file="potential.json"><Atom type="head"/></PairTableForce>', "has no type 'head'"),
        (
            '<PairTableForce file="potential.json"><Atom type="h" potentialType="P"/></PairTableForce>',
            "names the type 'h', which the force field does not define",
        ),
        (
            '<PairTableForce file="potential.json"><Atom type="head" potentialType="P"/>'
            '<Atom class="H1" potentialType="Q"/></PairTableForce>',
            "gives the atom type 'head' two types",
        ),
        (
            '<PairTableForce file="potential.json" bondCutoff="1"/><PairTableForce file="potential.json"/>',
            "different values of bondCutoff",
        ),
    ],
)
def test_refused_when_loaded(folder, content, sentence):
    with pytest.raises(DiffPairError) as caught:
        load(folder, content)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("content", "arguments", "sentence"),
    [
        (f'<PairTableForce file="potential.json">{ATOMS}</PairTableForce>', {}, "so <PairTableForce> needs bondCutoff"),
        (
            '<PairTableForce file="potential.json"><Atom type="head" potentialType="P"/></PairTableForce>',
            {},
            "no <Atom> gives the atom type 'end' a type",
        ),
        (
            f'<PairTableForce file="potential.json" bondCutoff="1">{ATOMS}</PairTableForce>',
            {"nonbondedMethod": app.CutoffPeriodic, "nonbondedCutoff": 0.8 * unit.nanometer},
            "nonbondedCutoff is 0.8 nm, but the potential of ",
        ),
    ],
)
def test_refused_when_a_system_is_made(folder, content, arguments, sentence):
    field = load(folder, content)
    with pytest.raises(DiffPairError) as caught:
        field.createSystem(make_topology(("LIP",)), **arguments)
    assert sentence in str(caught.value)
