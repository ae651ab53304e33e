"""States from structure files and serialized Systems."""

import numpy as np
import openmm
import pytest
from openmm import app, unit

from diffpair.errors import DiffPairError
from diffpair.states import build_from_files
from diffpair.states.exclusions import bonded_pairs

EDGE = 2.2


@pytest.fixture(scope="module")
def water(tmp_path_factory):
    """Eight water molecules as a PDB and as a System with rigid molecules and charges."""
    folder = tmp_path_factory.mktemp("water")
    topology, positions = app.Topology(), []
    chain = topology.addChain()
    for corner in np.ndindex(2, 2, 2):
        residue = topology.addResidue("HOH", chain)
        oxygen = topology.addAtom("O", app.element.oxygen, residue)
        for name in ("H1", "H2"):
            topology.addBond(oxygen, topology.addAtom(name, app.element.hydrogen, residue))
        centre = (np.array(corner) + 0.5) * EDGE / 2
        positions += [centre, centre + np.array([0.1, 0, 0]), centre + np.array([-0.033, 0.094, 0])]
    topology.setPeriodicBoxVectors(np.eye(3) * EDGE * unit.nanometer)
    with open(folder / "box.pdb", "w") as file:
        app.PDBFile.writeFile(topology, np.array(positions) * unit.nanometer, file)
    system = app.ForceField("spce.xml").createSystem(topology, nonbondedMethod=app.PME, nonbondedCutoff=0.9)
    (folder / "system.xml").write_text(openmm.XmlSerializer.serialize(system))
    return folder


def test_structure_alone(water):
    state = build_from_files("w", water / "box.pdb", types={"O": "W", "HOH": "H"}, temperature=300)
    assert state.type_names == ("W", "H")
    assert state.types.tolist() == [0, 1, 1] * 8
    assert state.masses[:2] == pytest.approx([15.99943, 1.007947])
    assert np.allclose(state.box, np.eye(3) * EDGE, atol=1e-4)
    assert state.exclusions[:3].tolist() == [[0, 1], [0, 2], [1, 2]] and len(state.exclusions) == 24
    assert not state.on_lattice and state.base_system is None


def test_system_gives_masses_and_exclusions_and_stays(water):
    state = build_from_files("w", water / "box.pdb", water / "system.xml", {"HOH-O": "O", "H": "H"}, 300)
    assert state.base_system is not None and state.base_system.getNumConstraints() == 24
    assert len(state.exclusions) == 24  # the exceptions of its NonbondedForce
    assert state.masses[0] == pytest.approx(15.99943)


def test_atoms_without_a_type_take_no_part(water):
    state = build_from_files("w", water / "box.pdb", water / "system.xml", {"O": "W", "H1": "H", "H2": None}, 300)
    assert state.type_names == ("W", "H") and state.types.tolist() == [0, 1, -1] * 8
    assert not state.complete and state.num_atoms == 24 and len(state.exclusions) == 24
    seen = state.of_typed()
    assert seen.types.tolist() == [0, 1] * 8 and seen.masses.tolist() == state.masses[state.types >= 0].tolist()
    assert seen.exclusions.tolist() == [[2 * k, 2 * k + 1] for k in range(8)]
    np.testing.assert_array_equal(seen.positions, state.positions[state.types >= 0])
    with pytest.raises(DiffPairError, match=r"no atom of .*box.pdb has a type"):
        build_from_files("w", water / "box.pdb", water / "system.xml", {"HOH": None}, 300)


def test_gro(tmp_path):
    lines = ["argon", "2"]
    lines += [f"{k:5d}{'AR':5s}{'AR':>5s}{k:5d}{x:8.3f}{0.5:8.3f}{0.5:8.3f}" for k, x in ((1, 0.5), (2, 1.5))]
    (tmp_path / "a.gro").write_text("\n".join([*lines, "   3.00000   3.00000   3.00000", ""]))
    state = build_from_files("argon", tmp_path / "a.gro", types={"AR": "Ar"}, temperature=85, masses=39.948)
    assert state.type_names == ("Ar",) and state.positions[1, 0] == pytest.approx(1.5)
    assert state.masses.tolist() == [39.948] * 2 and state.box[0, 0] == 3
    with pytest.raises(DiffPairError, match=r"a.gro: the mass of atom 0 \(AR-AR\) is unknown"):
        build_from_files("argon", tmp_path / "a.gro", types={"AR": "Ar"}, temperature=85)


def test_bonded_pairs_of_a_chain():
    chain = [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert bonded_pairs(chain, 1).tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert [1, 4] in bonded_pairs(chain, 3).tolist() and [0, 4] not in bonded_pairs(chain, 3).tolist()


def test_refusals(water, tmp_path):
    pdb, xml = water / "box.pdb", water / "system.xml"
    with pytest.raises(DiffPairError, match=r"box.pdb: atom 1 \(HOH-H1\) has no type: .* given the type none"):
        build_from_files("w", pdb, types={"O": "O"})
    with pytest.raises(DiffPairError, match=r"missing.pdb: no such file"):
        build_from_files("w", water / "missing.pdb")
    with pytest.raises(DiffPairError, match=r"must be a .pdb, .cif or .gro"):
        build_from_files("w", xml)
    (tmp_path / "open.pdb").write_text("".join(line for line in pdb.open() if not line.startswith("CRYST1")))
    with pytest.raises(DiffPairError, match=r"open.pdb: it gives no periodic box"):
        build_from_files("w", tmp_path / "open.pdb")
    unbound = openmm.System()
    for _ in range(24):
        unbound.addParticle(1.0)
    (tmp_path / "open.xml").write_text(openmm.XmlSerializer.serialize(unbound))
    with pytest.raises(DiffPairError, match=r"neither .*open\.pdb nor .*open\.xml gives a periodic box"):
        build_from_files("w", tmp_path / "open.pdb", tmp_path / "open.xml", {"O": "O", "H": "H"})
    (tmp_path / "other.xml").write_text(openmm.XmlSerializer.serialize(openmm.System()))
    with pytest.raises(DiffPairError, match=r"other.xml has 0 particles, but .*box.pdb has 24 atoms"):
        build_from_files("w", pdb, tmp_path / "other.xml")
    (tmp_path / "bad.xml").write_text("<System")
    with pytest.raises(DiffPairError, match=r"bad.xml, line 1: is no XML, or cut short"):
        build_from_files("w", pdb, tmp_path / "bad.xml")
    (tmp_path / "force.xml").write_text(openmm.XmlSerializer.serialize(openmm.VerletIntegrator(0.001)))
    with pytest.raises(DiffPairError, match=r"force.xml: it holds a VerletIntegrator"):
        build_from_files("w", pdb, tmp_path / "force.xml")
