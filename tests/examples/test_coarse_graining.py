"""The examples that begin with atoms: their truths run, are what their pages say, and lead to fits that can be run."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import openmm as mm
import pytest
import yaml

from diffpair.config import build_states, load_config
from diffpair.mapping import load_map, map_trajectories
from diffpair.mapping.measure import Range
from diffpair.model import read_model
from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.systems.bonded_paths import bonded_paths

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEXANE = {"rdf": 3, "bond": 1, "angle": 1, "pressure": 1}


def run(*command: object) -> None:
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.filterwarnings("ignore:.*as a constraint holds", "ignore:.*neighbours begin at")
@pytest.mark.parametrize(
    ("script", "options", "trajectory", "beads", "targets"),
    [
        ("hexane/hexane.py", ["--per-side", 4, "--layers", 2], "hexane", 96, HEXANE),
        ("polymer/chains.py", ["--chains", 6], "chains", 120, {"rdf": 1, "bond": 1, "angle": 1, "dihedral": 1}),
        ("alcohols/alcohols.py", ["--molecules", 60, "--methanol", 0.25], "mixture", 60, {"rdf": 3}),
    ],
)  # fmt: skip
def test_from_the_truth_to_a_config(tmp_path, script, options, trajectory, beads, targets):
    """With few steps of few molecules; the map is that of the example."""
    run(EXAMPLES / script, "--out", tmp_path / "atoms", "--melting", 300, "--steps", 2000, *options)
    settings = load_map((EXAMPLES / script).parent / "map.yaml")
    atoms = tmp_path / "atoms"
    map_trajectories(
        [atoms / f"{trajectory}.dcd"],
        settings,
        tmp_path / "cg",
        topology=atoms / f"{trajectory}.pdb",
        r=Range(None, 0.02),
    )
    (state,) = build_states(load_config(tmp_path / "cg/fit.yaml"))
    assert state.num_atoms == beads
    document = yaml.safe_load((tmp_path / "cg/fit.yaml").read_text())
    kinds = [next(iter(target)) for target in document["states"][0]["targets"]]
    assert {kind: kinds.count(kind) for kind in kinds} == targets


def energy(system: mm.System, positions: np.ndarray, number: int) -> float:
    for index, force in enumerate(system.getForces()):
        force.setForceGroup(index)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    return float(context.getState(energy=True, groups=1 << number).getPotentialEnergy()._value)


def test_the_chains_are_what_their_functions_say():
    """What a fit's terms are compared with is what was simulated, force by force."""
    chains = module("polymer/chains")
    topology, positions, system = chains.melt(8)
    positions = positions + np.random.default_rng(2).normal(0, 0.02, positions.shape)
    box = np.array(topology.getPeriodicBoxVectors()._value)
    bonds = [(b[0].index, b[1].index) for b in topology.bonds()]
    paths = bonded_paths(bonds, ["B"] * len(positions))
    x = {len(kind): bonded_coordinates(positions[None], 0 * box[None], found) for kind, found in paths.items()}
    assert [x[k].size for k in (2, 3, 4)] == [8 * 19, 8 * 18, 8 * 17]
    for number, (order, function) in enumerate(
        ((2, chains.bond_energy), (3, chains.angle_energy), (4, chains.dihedral_energy))
    ):
        assert energy(system, positions, number) == pytest.approx(function(x[order]).sum(), rel=1e-6)
    out = {tuple(sorted(pair)) for found in paths.values() for pair in found[:, [0, -1]].tolist()}
    i, j = np.triu_indices(len(positions), 1)
    kept = np.array([pair not in out for pair in zip(i.tolist(), j.tolist(), strict=True)])
    d = positions[i[kept]] - positions[j[kept]]
    r = np.linalg.norm(d - box[0, 0] * np.round(d / box[0, 0]), axis=1)
    r = r[r < chains.CUTOFF]
    assert len(r) > 1000 and energy(system, positions, 3) == pytest.approx(chains.pair_energy(r).sum(), rel=1e-6)


def test_hexane_is_the_published_model():
    """Numbers of the paper, in its units: M. G. Martin, J. I. Siepmann, J. Phys. Chem. B 102, 2569 (1998)."""
    hexane = module("hexane/hexane")
    _, _, system = hexane.hexane(3, 3)
    bends, torsions, pairs = system.getForces()
    kelvin = 0.00831446261815324
    for particle, (sigma, epsilon) in ((0, (0.375, 98)), (1, (0.395, 46)), (5, (0.375, 98))):
        found = pairs.getParticleParameters(particle)
        assert [found[1]._value, found[2]._value / kelvin] == pytest.approx([sigma, epsilon])
    assert bends.getNumAngles() == 27 * 4 and torsions.getNumTorsions() == 27 * 9
    assert bends.getAngleParameters(0)[4]._value / kelvin == pytest.approx(62500)
    first, last = (pairs.getExceptionParameters(k) for k in (0, pairs.getNumExceptions() - 1))
    assert pairs.getNumExceptions() == 27 * (5 + 4 + 3) and first[4]._value == last[4]._value == 0
    # barriers of the torsion, from trans: at cis 2 (c1 + c3)
    force = mm.PeriodicTorsionForce()
    for k in range(3):
        force.addTorsion(*torsions.getTorsionParameters(k))
    alone = mm.System()
    for _ in range(4):
        alone.addParticle(1.0)
    alone.addForce(force)
    trans, cis = ([[0, 0.1, 0], [0, 0, 0], [0.1, 0, 0], [0.1, y, 0]] for y in (-0.1, 0.1))
    assert energy(alone, np.array(trans), 0) == pytest.approx(0, abs=1e-9)
    assert energy(alone, np.array(cis), 0) / kelvin == pytest.approx(2 * (355.03 + 791.32))


@pytest.mark.parametrize("example", ["hexane/cg", "polymer", "alcohols"])
def test_the_fit_of_an_example(tmp_path, example):
    """Far too short to learn, but all of it runs from the files that are there, and the folder is one to run."""
    pytest.importorskip("torch")
    from diffpair.config import run_fit

    shutil.copytree(EXAMPLES / example, tmp_path / "files")
    document = yaml.safe_load((tmp_path / "files/fit.yaml").read_text())
    document["sampling"] |= {"equilibration": 20, "steps": 100, "every": 10}
    document["production"] = {"max_steps": 200, "noise_target": 0.5}
    document["update"] = {"method": "gauss-newton", "iterations": 1}
    (tmp_path / "files/short.yaml").write_text(yaml.safe_dump(document))
    run_fit(load_config(tmp_path / "files/short.yaml"), tmp_path / "out")
    assert (tmp_path / "out/forcefield.xml").is_file()
    entries = read_model(tmp_path / "out").states
    assert len(entries) == len(document["states"])
    assert all(entry.temperature == 300 and entry.forcefield == "forcefield.xml" for entry in entries)
    if example == "polymer":
        run(EXAMPLES / "polymer/compare.py", tmp_path / "out")
