"""The folder for production: its System, structure and ForceField file say the same, and build larger boxes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openmm as mm
import pytest
from openmm import app, unit
from tests.support.models import CHAINS, COPIES, CUTOFF, EDGE, TYPES, ran, table

from diffpair import PairTableForce
from diffpair.errors import DiffPairError
from diffpair.model import read_model, write_model
from diffpair.model.folder import load_state, told
from diffpair.model.topology import replicate
from diffpair.states.exclusions import bonded_pairs


def written(folder: Path, *states, said=None):
    """The folder of these states, as a fit leaves it."""
    out = folder / "model"
    out.mkdir()
    table().save(out / "potential.json")
    section = write_model(out, states, (said if said is not None else []).append)
    (out / "summary.json").write_text(json.dumps({"model": section}))
    return read_model(out)


def energy_and_forces(system: mm.System, positions, box=None):
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    if box is not None:
        context.setPeriodicBoxVectors(*box)
    context.setPositions(positions)
    state = context.getState(energy=True, forces=True)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


def exclusions(system: mm.System) -> set[tuple[int, int]]:
    (force,) = [PairTableForce.cast(f) for f in system.getForces() if PairTableForce.isinstance(f)]
    return {tuple(sorted(force.getExclusionParticles(k))) for k in range(force.getNumExclusions())}


@pytest.mark.parametrize("charges", [False, True], ids=["pairs", "charges"])
def test_a_larger_box_by_the_script(tmp_path, charges):
    """ForceField builds what system.xml holds, and of ten boxes ten times as much."""
    said: list[str] = []
    model = written(tmp_path, ran(tmp_path, charges=charges), said=said)
    assert said == []
    entry = model.state(None)
    structure, system = model.folder / entry.structure, model.folder / entry.system
    assert (structure.name, system.name, entry.forcefield) == ("beads.pdb", "system.xml", "forcefield.xml")

    pdb = app.PDBFile(str(structure))
    forcefield = app.ForceField(str(model.folder / "forcefield.xml"))
    method = app.PME if charges else app.CutoffPeriodic
    options = {"nonbondedMethod": method, "nonbondedCutoff": CUTOFF * unit.nanometer}
    built = forcefield.createSystem(pdb.topology, **options)

    given = mm.XmlSerializer.deserialize(system.read_text())
    energy, forces = energy_and_forces(given, pdb.positions)
    again, same = energy_and_forces(built, pdb.positions)
    assert abs(energy) > 100 and again == pytest.approx(energy, rel=1e-6)
    np.testing.assert_allclose(same, forces, rtol=1e-6, atol=1e-6 * np.abs(forces).max())
    reference = mm.Platform.getPlatformByName("Reference")
    for system in (given, built):
        assert len(mm.Context(system, mm.VerletIntegrator(0.001), reference).getMolecules()) == sum(COPIES.values())
    masses = [[s.getParticleMass(i)._value for i in range(s.getNumParticles())] for s in (built, given)]
    assert masses[0] == masses[1]
    pairs = {tuple(pair) for pair in bonded_pairs([(b[0].index, b[1].index) for b in pdb.topology.bonds()], 3)}
    assert exclusions(built) == exclusions(given) == pairs and len(pairs) == 6 * 9 + 6

    positions = np.array(pdb.positions.value_in_unit(unit.nanometer))
    topology, positions = replicate(pdb.topology, positions, (5, 2, 1))
    larger = forcefield.createSystem(topology, **options)
    ten, pulls = energy_and_forces(larger, positions)
    # Ewald sums of boxes of another shape have another error
    assert ten == pytest.approx(10 * energy, rel=1e-4 if charges else 1e-6)
    np.testing.assert_allclose(pulls, np.tile(forces, (10, 1)), atol=(1e-3 if charges else 1e-6) * np.abs(forces).max())


def test_the_energy_of_the_system_is_that_of_the_table(tmp_path):
    """Against the table's own numbers, pair by pair and term by term, not against another System."""
    from diffpair.observables.bonded_coordinates import bonded_coordinates

    start = ran(tmp_path)
    model = written(tmp_path, start)
    topology, positions, system = load_state(model, model.state(None))
    names = [TYPES[atom.name] for atom in topology.atoms()]
    box, potential = np.eye(3) * EDGE, table()
    out = {tuple(pair) for pair in start.state.exclusions.tolist()}
    total = 0.0
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            d = positions[i] - positions[j]
            r = np.linalg.norm(d - EDGE * np.round(d / EDGE))
            if (i, j) not in out and r < CUTOFF:
                total += float(potential.energy(r, names[i], names[j]))
    for term in potential.bonded:
        x = bonded_coordinates(positions[None], box[None], start.state.paths[term.kind])
        total += float(term.energy(x).sum())
    for first, second in topology.bonds():
        if {first.name, second.name} == {"O", "CA"}:
            d = positions[first.index] - positions[second.index]
            total += 450.0 * (np.linalg.norm(d - EDGE * np.round(d / EDGE)) - 0.35) ** 2
    # the harmonic terms leave out a constant, and tables are numbers of single precision nowhere
    found, _ = energy_and_forces(system, positions)
    assert found == pytest.approx(total, rel=1e-6)


def test_structure_is_whole_and_keeps_its_names(tmp_path):
    model = written(tmp_path, ran(tmp_path))
    topology, positions, _ = load_state(model, model.state(None))
    text = (model.folder / "beads.pdb").read_text()
    assert text.count("CONECT") > 0
    names = {residue.name: tuple(atom.name for atom in residue.atoms()) for residue in topology.residues()}
    assert names == CHAINS
    lengths = [np.linalg.norm(positions[b[0].index] - positions[b[1].index]) for b in topology.bonds()]
    assert len(lengths) == 6 * 4 + 6 and min(lengths) > 0.29 and max(lengths) < 0.41
    start = ran(tmp_path / "again").state.positions
    apart = positions - start
    np.testing.assert_allclose(apart - EDGE * np.round(apart / EDGE), 0, atol=2e-4)
    assert all(atom.element is None for atom in app.PDBFile(str(model.folder / "beads.pdb")).topology.atoms())


def test_several_states_share_a_forcefield(tmp_path):
    first, second = ran(tmp_path / "a", "50:50"), ran(tmp_path / "b", "pure")
    model = written(tmp_path, first, second)
    told(model.folder)
    assert {path.name for path in model.folder.iterdir()} == {
        "potential.json", "summary.json", "forcefield.xml", "system-50_50.xml", "system-pure.xml", "beads-50_50.pdb",
        "beads-pure.pdb",
    }  # fmt: skip
    assert model.state("pure").structure == "beads-pure.pdb"
    with pytest.raises(DiffPairError, match="holds the states 50:50, pure: choose one by --state"):
        model.state(None)
    with pytest.raises(DiffPairError, match="has no state 'hot'; it has 50:50, pure"):
        model.state("hot")


def test_files_of_others_are_not_overwritten(tmp_path):
    """A fit may write into the folder of its input, and again into its own."""
    start = ran(tmp_path)
    out = tmp_path / "model"
    out.mkdir()
    table().save(out / "potential.json")
    (out / "system.xml").write_text("of the user")
    for _ in range(2):
        section = write_model(out, [start], print)
        assert (section[0]["system"], section[0]["structure"]) == ("learned-system.xml", "beads.pdb")
        (out / "summary.json").write_text(json.dumps({"model": section}))
    assert (out / "system.xml").read_text() == "of the user"
    assert not list(out.glob("learned-learned*"))


def refused(tmp_path, change):
    """What is said of a state whose System was changed; its folder has no ForceField file."""
    start, said = ran(tmp_path), []
    change(start.state)
    model = written(tmp_path, start, said=said)
    assert model.state(None).forcefield is None and not (model.folder / "forcefield.xml").exists()
    assert said == [f"no forcefield.xml: {model.state(None).reason}"]
    return model.state(None).reason


def test_what_a_forcefield_file_cannot_hold(tmp_path):
    """A note says so, and there is no file that would build something else."""

    def custom(state):
        force = mm.CustomExternalForce("x^2")
        force.addParticle(0, [])
        force.setName("Trap")
        state.base_system.addForce(force)

    def one_bond(state):
        force = state.base_system.getForce(0)
        i, j, length, k = force.getBondParameters(0)
        force.setBondParameters(0, i, j, length, 2 * k)

    def one_mass(state):
        state.base_system.setParticleMass(0, 41.0)

    def exclusion(state):
        state.exclusions = state.exclusions[1:]

    assert "Trap" in refused(tmp_path / "trap", custom)
    assert "HarmonicBondForce, which differs between residues of one kind" in refused(tmp_path / "bond", one_bond)
    assert "masses that differ between residues of one kind" in refused(tmp_path / "mass", one_mass)
    assert "its exclusions, which are not those of pairs up to" in refused(tmp_path / "pairs", exclusion)


def test_beads_that_a_topology_takes_for_elements(tmp_path):
    """As when a PDB file without the element EP is read: OpenMM guesses from names."""
    model = written(tmp_path, ran(tmp_path))
    text = (model.folder / "beads.pdb").read_text().replace("          EP", "            ")
    (tmp_path / "guessed.pdb").write_text(text)
    pdb = app.PDBFile(str(tmp_path / "guessed.pdb"))
    with pytest.raises(DiffPairError, match="a bead of the force field, but the topology takes it for"):
        app.ForceField(str(model.folder / "forcefield.xml")).createSystem(
            pdb.topology, nonbondedMethod=app.CutoffPeriodic, nonbondedCutoff=CUTOFF
        )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no summary.json, so it is not the folder of a fit that has ended"),
        ("{", "cannot be read"),
        ("{}", "names no system to run"),
        ('{"model": []}', "names no system to run"),
        ('{"model": [{"name": "a"}]}', "cannot be read"),
    ],
)
def test_folders_that_are_no_model(tmp_path, content, said):
    if content is not None:
        (tmp_path / "summary.json").write_text(content)
    with pytest.raises(DiffPairError, match=said):
        read_model(tmp_path)
    with pytest.raises(DiffPairError, match="there is no such folder"):
        read_model(tmp_path / "absent")
