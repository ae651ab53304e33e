"""`diffpair map` as a whole: the files that it writes, as others read them, and the fit that they start."""

from __future__ import annotations

import json
import re

import mdtraj
import numpy as np
import openmm as mm
import pytest
import yaml
from click.testing import CliRunner
from openmm import app, unit
from tests.support.mapped import ARGON, BUTANE, MAP, WATER, topology_of, trajectory_of, write_files

from diffpair.cli import cli
from diffpair.config import build_states, load_config
from diffpair.mapping import MapSettings, map_trajectories, structure
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.kinds import find_kinds
from diffpair.states.files import build_from_files
from diffpair.states.structure import read_structure
from diffpair.targets import Distribution, read_rdf

pytestmark = pytest.mark.filterwarnings("ignore:.*as a constraint holds it", "ignore:.*neighbours begin at")
SPECIES = ((BUTANE, 12), (WATER, 20), (ARGON, 1))
SOLUTE = {"residue": "AR", "beads": [{"type": "S", "atoms": ["AR"]}]}


def run(folder, *more):
    """The command on the files of `write_files`."""
    arguments = ["map", folder / "t.dcd", "--topology", folder / "top.pdb", "--map", folder / "map.yaml", *more]
    return CliRunner().invoke(cli, [str(one) for one in (*arguments, "--out", folder / "cg")])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Butane of two beads, water, and a single atom, mapped by the command."""
    folder = tmp_path_factory.mktemp("map")
    document = MAP | {"pressure": {"value": "1 bar", "error": "3 bar"}, "exclude_bonds": 1, "intramolecular": True}
    write_files(folder, trajectory_of(*SPECIES, frames=60), document | {"molecules": [*MAP["molecules"], SOLUTE]})
    done = run(folder, "--beads-trajectory", "--blocks", "3")
    assert done.exit_code == 0, done.output
    assert "12 molecules BUT, 52.0749 amu: L (A, 4 atoms, 26.0375 amu), R (A, 4 atoms, 26.0375 amu)" in done.output
    return folder / "cg"


def test_the_files(folder):
    g = ["A-A", "A-W", "A-S", "W-W", "W-S"]
    wanted = {f"rdf-{pair}.csv" for pair in g} | {f"rdf-all-{pair}.csv" for pair in g} | {"bond-A-A.csv"}
    assert {path.name for path in folder.iterdir()} == wanted | {
        "fit.yaml", "summary.json", "system.xml", "beads.pdb", "beads.dcd"
    }  # fmt: skip
    for pair in g:
        heading, *rows = [line for line in (folder / f"rdf-{pair}.csv").read_text().splitlines() if line[0] != "#"]
        assert heading == "r_nm,g,error"
        np.testing.assert_allclose(np.diff(np.loadtxt(rows, delimiter=",")[:, 0]), 0.01)
    assert Distribution.read(folder / "bond-A-A.csv", ("A", "A")).error is not None
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


def test_the_config(folder):
    config = yaml.safe_load((folder / "fit.yaml").read_text())
    (state,) = config["states"]
    assert config["bonded"] == [{"types": ["A", "A"]}]
    assert config["potential"]["pairs"] == [["A", "A"], ["A", "W"], ["A", "S"], ["W", "W"], ["W", "S"]]
    types = {"L": "A", "R": "A", "W": "W", "S": "S"}
    assert state["system"] == {"topology": "beads.pdb", "xml": "system.xml", "types": types, "exclude_bonds": 1}
    assert state["targets"][0] == {"rdf": {"pair": ["A", "A"], "file": "rdf-A-A.csv"}}
    assert state["targets"][-2:] == [
        {"bond": {"types": ["A", "A"], "file": "bond-A-A.csv"}},
        {"pressure": {"value": "1 bar", "error": "3 bar"}},
    ]


def test_the_structure_is_read_with_its_bonds(folder):
    """By OpenMM, by mdtraj and by a state."""
    bonds = {(k, k + 1) for k in range(0, 24, 2)}
    pdb, traj = app.PDBFile(str(folder / "beads.pdb")), mdtraj.load(str(folder / "beads.pdb"))
    read = read_structure(folder / "beads.pdb")
    assert {(bond[0].index, bond[1].index) for bond in pdb.topology.bonds()} == bonds
    assert {(bond[0].index, bond[1].index) for bond in traj.topology.bonds} == bonds
    assert set(read.bonds) == bonds
    assert [atom.name for atom in traj.topology.atoms] == ["L", "R"] * 12 + ["W"] * 20 + ["S"]
    assert [residue.name for residue in pdb.topology.residues()] == ["BUT"] * 12 + ["W"] * 20 + ["AR"]
    np.testing.assert_allclose(traj.xyz[0], read.positions, atol=1e-6)


def test_the_trajectory_of_beads(folder):
    """Against mdtraj's centres of mass of water, up to whole box vectors."""
    beads = mdtraj.load(str(folder / "beads.dcd"), top=str(folder / "beads.pdb"))
    whole = trajectory_of(*SPECIES, frames=60, wrap=False)
    water = [[atom.index for atom in r.atoms] for r in whole.topology.residues if r.name == "HOH"]
    wanted = np.stack([mdtraj.compute_center_of_mass(whole.atom_slice(atoms)) for atoms in water], axis=1)
    apart = (beads.xyz[:, 24:44] - wanted) / whole.unitcell_lengths[:, None]
    np.testing.assert_allclose(apart, np.round(apart), atol=1e-5)
    np.testing.assert_allclose(beads.unitcell_lengths, whole.unitcell_lengths, rtol=1e-6)


def test_the_system_and_the_summary(folder):
    system = mm.XmlSerializer.deserialize((folder / "system.xml").read_text())
    assert system.getNumForces() == system.getNumConstraints() == 0
    masses = [system.getParticleMass(i)._value for i in range(system.getNumParticles())]
    np.testing.assert_allclose(masses, [26.038] * 24 + [18.0153] * 20 + [39.948], atol=1e-3)
    summary = json.loads((folder / "summary.json").read_text())
    box = np.array(summary["box"]["vectors"])
    np.testing.assert_allclose(box, [list(vector._value) for vector in system.getDefaultPeriodicBoxVectors()])
    assert summary["density"]["value"] == pytest.approx(sum(masses) * 1.66053907e-3 / np.linalg.det(box))
    assert summary["frames"] == 60 and summary["temperature"]["value"] == 300


def test_a_state_from_the_files_excludes_what_the_map_does(folder):
    """The fit's g(r) counts the pairs that the target counts."""
    config = yaml.safe_load((folder / "fit.yaml").read_text())["states"][0]["system"]
    state = build_from_files(
        "mapped",
        folder / "beads.pdb",
        folder / "system.xml",
        config["types"],
        300,
        exclude_bonds=config["exclude_bonds"],
    )
    assert state.exclusions.tolist() == [[k, k + 1] for k in range(0, 24, 2)]
    assert [state.type_names[kind] for kind in state.types] == ["A"] * 24 + ["W"] * 20 + ["S"]
    box = np.array(json.loads((folder / "summary.json").read_text())["box"]["vectors"])
    np.testing.assert_allclose(state.box, box, atol=1e-4)


@pytest.mark.parametrize(("exclude_bonds", "excluded"), [(None, {(k, k + 1) for k in range(0, 24, 2)}), (0, set())])
def test_charged_beads_exclude_what_the_map_does(tmp_path, exclude_bonds, excluded):
    document = MAP | {"charges": {"A": -0.5, "W": 0.6}}
    document |= {} if exclude_bonds is None else {"exclude_bonds": exclude_bonds}
    write_files(tmp_path, trajectory_of(*SPECIES, frames=6), document)
    assert run(tmp_path).exit_code == 0
    system = mm.XmlSerializer.deserialize((tmp_path / "cg/system.xml").read_text())
    (force,) = system.getForces()
    charges = [force.getParticleParameters(i)[0]._value for i in range(44)]
    assert charges == [-0.5] * 24 + [0.6] * 20 and force.getNonbondedMethod() == force.PME
    exceptions = [force.getExceptionParameters(k) for k in range(force.getNumExceptions())]
    assert {(i, j) for i, j, *_ in exceptions} == excluded
    assert all(charge._value == epsilon._value == 0 for _, _, charge, _, epsilon in exceptions)
    config = yaml.safe_load((tmp_path / "cg/fit.yaml").read_text())
    assert "exclude_bonds" not in config["states"][0]["system"], "the System's own exclusions count"
    assert f"{force.getCutoffDistance()._value:g} nm" == config["potential"]["cutoff"]


def test_more_beads_than_a_pdb_file_numbers(monkeypatch):
    monkeypatch.setattr(structure, "_MOST_IN_PDB", 10)
    beads = BeadMap(find_kinds(topology_of(*SPECIES), MapSettings(**MAP)))
    x = np.random.default_rng(0).random((44, 3))
    assert structure.structure_file(beads, x, 2 * np.eye(3))[0] == "beads.cif"
    monkeypatch.undo()
    assert structure.structure_file(beads, x, 2 * np.eye(3))[0] == "beads.pdb"


@pytest.mark.parametrize("reader", ["openmm", "mdtraj", "state"])
def test_a_cif_file_is_read_with_its_bonds(tmp_path, monkeypatch, reader):
    monkeypatch.setattr(structure, "_MOST_IN_PDB", 10)
    beads = BeadMap(find_kinds(topology_of(*SPECIES), MapSettings(**MAP)))
    x = np.random.default_rng(0).random((44, 3))
    name, text = structure.structure_file(beads, x, 2 * np.eye(3))
    (tmp_path / name).write_text(text)
    match reader:
        case "openmm":
            file = app.PDBxFile(str(tmp_path / name))
            bonds = [(bond[0].index, bond[1].index) for bond in file.topology.bonds()]
            positions = np.array(file.getPositions().value_in_unit(unit.nanometer))
        case "mdtraj":
            traj = mdtraj.load(str(tmp_path / name))
            bonds, positions = [(bond[0].index, bond[1].index) for bond in traj.topology.bonds], traj.xyz[0]
        case _:
            read = read_structure(tmp_path / name)
            bonds, positions = read.bonds, read.positions
    assert sorted(bonds) == [(k, k + 1) for k in range(0, 24, 2)]
    np.testing.assert_allclose(positions, x, atol=1e-4)


def nitrogen(folder):
    """125 molecules of two sites in a liquid at 120 K, by OpenMM: n2.pdb, n2.dcd, n2.xtc."""
    topology, system, edge = app.Topology(), mm.System(), 2.1
    chain, positions = topology.addChain(), []
    bonds, between = mm.HarmonicBondForce(), mm.NonbondedForce()
    for place in np.ndindex(5, 5, 5):
        residue = topology.addResidue("NNN", chain)
        pair = [topology.addAtom(name, app.element.nitrogen, residue) for name in ("N1", "N2")]
        topology.addBond(*pair)
        first = system.getNumParticles()
        for k in range(2):
            system.addParticle(14.007)
            between.addParticle(0.0, 0.331, 0.31)
            positions.append((np.array(place) + 0.5) * edge / 5 + [0.11 * k, 0, 0])
        bonds.addBond(first, first + 1, 0.11, 100_000.0)
        between.addException(first, first + 1, 0.0, 1.0, 0.0)
    between.setNonbondedMethod(between.CutoffPeriodic)
    between.setCutoffDistance(1.0)
    system.addForce(bonds)
    system.addForce(between)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    integrator = mm.LangevinMiddleIntegrator(120, 2.0, 0.002)
    integrator.setRandomNumberSeed(5)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("CPU"))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=50)
    simulation.context.setVelocitiesToTemperature(120, 5)
    simulation.step(1500)
    with (folder / "n2.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, simulation.context.getState(positions=True).getPositions(), file)
    for reporter in (app.DCDReporter, app.XTCReporter):
        name = "n2.dcd" if reporter is app.DCDReporter else "n2.xtc"
        simulation.reporters.append(reporter(str(folder / name), 50, enforcePeriodicBox=reporter is app.DCDReporter))
    simulation.step(3000)


@pytest.fixture(scope="module")
def liquid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nitrogen")
    nitrogen(folder)
    return folder


MAP_OF_NITROGEN = MapSettings(
    temperature=120, molecules=[{"residue": "NNN", "beads": [{"type": "N", "atoms": ["N1", "N2"]}]}]
)


def test_formats_and_several_files_give_the_same(liquid):
    """Wrapped molecules in a DCD, unwrapped ones in an XTC that rounds, and both, one after the other."""
    made = {}
    for name, files in {"dcd": ["n2.dcd"], "xtc": ["n2.xtc"], "both": ["n2.dcd", "n2.xtc"]}.items():
        out = liquid / f"as-{name}"
        map_trajectories([liquid / file for file in files], MAP_OF_NITROGEN, out, topology=liquid / "n2.pdb")
        made[name] = read_rdf(out / "rdf-N-N.csv", ("N", "N")).g
    assert made["dcd"].max() > 1.5
    np.testing.assert_allclose(made["xtc"], made["dcd"], atol=0.05)
    np.testing.assert_allclose(made["both"], 0.5 * (made["dcd"] + made["xtc"]), atol=1e-6)


TWO_SITES = [{"name": name, "type": "N", "atoms": [name]} for name in ("N1", "N2")]


@pytest.mark.parametrize("sites", [1, 2])
def test_the_fit_runs_as_it_is_written(liquid, sites):
    """But for its length."""
    pytest.importorskip("torch")
    out = liquid / f"cg{sites}"
    beads = MAP_OF_NITROGEN.molecules[0].beads if sites == 1 else TWO_SITES
    settings = MapSettings(temperature=120, molecules=[{"residue": "NNN", "beads": beads}])
    map_trajectories([liquid / "n2.dcd"], settings, out, topology=liquid / "n2.pdb")
    config = load_config(out / "fit.yaml")
    (state,) = build_states(config)
    assert state.num_atoms == 125 * sites and 0.9 <= config.potential.cutoff <= 1.05
    assert config.sampling.timestep == {1: 0.008, 2: 0.002}[sites], "ps: the bond has a period of 53 fs"
    short = "production: {max_steps: 400}\nupdate: {method: gauss-newton, iterations: 1}\n"
    (out / "short.yaml").write_text((out / "fit.yaml").read_text() + short)
    done = CliRunner().invoke(cli, ["fit", str(out / "short.yaml"), "--out", str(liquid / f"model{sites}")])
    assert done.exit_code == 0, done.output
    summary = json.loads((liquid / f"model{sites}/summary.json").read_text())
    rdf, *bonds = summary["states"][0]["targets"]
    assert rdf["kind"] == "rdf" and rdf["mae"] < 0.2
    assert len(bonds) == sites - 1


def test_nothing_is_overwritten(tmp_path):
    write_files(tmp_path, trajectory_of(*SPECIES, frames=2), MAP)
    (tmp_path / "cg").mkdir()
    assert run(tmp_path).exit_code == 0, "an empty folder is fine"
    before = (tmp_path / "cg/fit.yaml").read_text()
    done = run(tmp_path)
    assert re.search(r"cg: is there already and holds files, which are not overwritten", str(done.exception))
    assert (tmp_path / "cg/fit.yaml").read_text() == before


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ("no box", [], r"t\.dcd: the trajectory has no periodic box"),
        ("", ["--skip", "9"], r"t\.dcd: no frames are left after --skip 9"),
        ("", ["--r-max", "1.5 nm"], r"--r-max = 1\.5 nm is beyond half the box"),
        ("", ["--r-max", "1.5"], "--r-max: needs a unit"),
        ("", ["--bin-width", "0 nm"], "--bin-width must be positive"),
        ("text", [], r"t\.dcd: cannot be read as a trajectory"),
        ("", ["gone.dcd"], "gone.dcd: no such trajectory"),
        ("other", [], r"other\.pdb: its topology is another one than that of .*t\.dcd"),
    ],
)
def test_trajectories_that_are_wrong(tmp_path, change, more, message):
    traj = trajectory_of(*SPECIES, frames=2)
    write_files(tmp_path, traj, MAP)
    if change == "no box":
        mdtraj.Trajectory(traj.xyz, traj.topology).save_dcd(str(tmp_path / "t.dcd"))
    elif change == "text":
        (tmp_path / "t.dcd").write_text("no trajectory")
    elif change == "other":
        trajectory_of((WATER, 5), frames=2).save_pdb(str(tmp_path / "other.pdb"))
        more = [tmp_path / "other.pdb"]
    done = run(tmp_path, *more)
    assert done.exit_code != 0 and re.search(message, str(done.exception)), done.exception
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"t.dcd", "top.pdb", "map.yaml", "other.pdb"}, "nothing half made is left"
