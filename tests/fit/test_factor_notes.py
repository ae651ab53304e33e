"""Exactly normalised targets of a molecular liquid: no iteration of a fit takes noise or its own way for a factor."""

from __future__ import annotations

import json

import numpy as np
import openmm as mm
import pytest
import yaml
from openmm import app

from diffpair.config import load_config, run_fit
from diffpair.engines import Sampler
from diffpair.fit import assemble
from diffpair.fit.iterate.loop import FitLoop
from diffpair.fit.judge.uncertainty import _matters, model_of
from diffpair.observables.rdf import histogram_rdf
from diffpair.states import build_from_files
from diffpair.tables import PairTable
from diffpair.updates.common_factor import common_factors

EDGE, CUTOFF, KINDS = 2.7, 1.0, ("A", "B")
EDGES = np.linspace(0.2, 1.3, 90)
PAIRS = [("A", "A"), ("A", "B"), ("B", "B")]


def dimers(folder):
    """100 molecules A-B in a liquid: structure and System as files."""
    topology, system, bonds = app.Topology(), mm.System(), mm.HarmonicBondForce()
    chain, x = topology.addChain(), []
    for cell in list(np.ndindex(5, 5, 5))[:100]:
        residue = topology.addResidue("MOL", chain)
        atoms = [topology.addAtom(name, app.element.carbon, residue) for name in KINDS]
        topology.addBond(*atoms)
        first = system.addParticle(15.0)
        system.addParticle(15.0)
        bonds.addBond(first, first + 1, 0.25, 3e4)
        x += [(np.array(cell) + 0.5) * EDGE / 5 + [shift, 0, 0] for shift in (-0.12, 0.12)]
    system.addForce(bonds)
    system.setDefaultPeriodicBoxVectors(*(EDGE * np.eye(3)))
    topology.setPeriodicBoxVectors(EDGE * np.eye(3))
    (folder / "s.xml").write_text(mm.XmlSerializer.serialize(system))
    with (folder / "s.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, np.array(x) * mm.unit.nanometer, file, keepIds=True)
    return topology


def true_table():
    nodes = 0.2 + (np.arange(102) - 1) * (CUTOFF - 0.2) / 99
    r, sigma, epsilon = np.maximum(nodes, 0.26), np.array([[0.36], [0.38], [0.40]]), np.array([[0.8], [0.64], [0.48]])
    lj = 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6) + 3000 * np.maximum(0.26 - nodes, 0)
    coefficients = lj * np.clip((CUTOFF - nodes) / 0.2, 0, 1)
    coefficients[:, -3:] = 0
    return PairTable(KINDS, 0.2, CUTOFF, coefficients)


@pytest.fixture
def state(tmp_path):
    """The section of a config: a liquid in equilibrium, and its g(r) under the true potential."""
    topology = dimers(tmp_path)
    built = build_from_files("dimers", tmp_path / "s.pdb", tmp_path / "s.xml", temperature=220, exclude_bonds=2)
    sampler = Sampler(built, true_table(), timestep=0.004, friction=2.0, seed=3)
    mm.LocalEnergyMinimizer.minimize(sampler.context, 10, 300)
    sampler.equilibrate(2500)
    frames = sampler.sample(6000, 20)
    targets = []
    for a, b in PAIRS:
        types = (KINDS.index(a), KINDS.index(b))
        g = histogram_rdf(frames.positions, frames.boxes, built.types, built.exclusions, types, EDGES)
        rows = np.column_stack([0.5 * (EDGES[1:] + EDGES[:-1]), np.asarray(g).reshape(-1, len(EDGES) - 1).mean(0)])
        np.savetxt(tmp_path / f"{a}{b}.csv", rows, delimiter=",")
        targets.append({"rdf": {"pair": [a, b], "file": str(tmp_path / f"{a}{b}.csv")}})
    with (tmp_path / "liquid.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, frames.positions[-1] * mm.unit.nanometer, file, keepIds=True)
    files = {"topology": str(tmp_path / "liquid.pdb"), "xml": str(tmp_path / "s.xml"), "exclude_bonds": 2}
    return {"name": "dimers", "system": files, "temperature": "220 K", "targets": targets}


def test_no_note_in_any_iteration(state, tmp_path, monkeypatch):
    factors = []

    class Watching(FitLoop):
        def _iterate(self, number):
            entry = super()._iterate(number)
            made = model_of(self.space, self.states, self._start)
            assert made is not None
            factors.extend(common_factors(made[0]))
            return entry

    monkeypatch.setattr(assemble, "FitLoop", Watching)
    document = {
        "potential": {"form": "bspline", "cutoff": f"{CUTOFF} nm", "knots": 40},
        "states": [state],
        "start": "boltzmann-inversion",  # far off, so that there are many iterations to look at
        "sampling": {"timestep": "4 fs", "equilibration": 200, "steps": 600, "every": 10, "adaptive": False},
        "production": {"max_steps": 1000, "noise_target": 0.1},
        "update": {"method": "gauss-newton", "iterations": 7},
        "seed": 2,
    }
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    summary = json.loads(run_fit(load_config(tmp_path / "fit.yaml"), tmp_path / "out").read_text())
    assert len(factors) >= 20
    assert not any(_matters(factor) for factor in factors)
    # far from the end too; 7 where the noise is what blocks show, and that of the Jacobian is left out
    assert max(factor.gain for factor in factors) < 5
    assert not any("scale_error" in note for note in summary["notes"])
