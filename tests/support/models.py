"""A mixture of chains of beads under a table with bonded terms: the states of a model folder, without a fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

from diffpair.bonded import HarmonicTerm, TabulatedTerm
from diffpair.model import Ran
from diffpair.states import State
from diffpair.tables import PairTable

CUTOFF, EDGE, TEMPERATURE = 1.0, 2.4, 300.0
# residue: names of its beads, in a chain. CA, N and O are names that readers of PDB files take for elements.
CHAINS = {"QUA": ("CA", "N", "O", "N2", "O2"), "DIM": ("O", "CA"), "SLV": ("W",)}
TYPES = {"CA": "A", "O": "A", "O2": "C", "N": "B", "N2": "B", "W": "W"}
CHARGES = {"CA": 0.3, "N": -0.1, "O": 0.2, "N2": 0.1, "O2": -0.5, "W": 0.0}
MASSES = {"A": 40.0, "B": 50.0, "C": 60.0, "W": 70.0}
COPIES = {"QUA": 6, "DIM": 6, "SLV": 8}


def structure() -> tuple[app.Topology, np.ndarray]:
    """Chains at random places, beads 0.3 to 0.4 nm apart, some broken across the box; positions in nm."""
    rng = np.random.default_rng(4)
    topology, positions = app.Topology(), []
    chain = topology.addChain()
    places = [np.array(p) for p in np.ndindex(3, 3, 3)]
    corners = iter(rng.permutation(places) * EDGE / 3)
    for residue_name, copies in COPIES.items():
        for _ in range(copies):
            residue, last, x = topology.addResidue(residue_name, chain), None, next(corners) + 0.4
            for name in CHAINS[residue_name]:
                atom = topology.addAtom(name, None, residue)
                positions.append(x % EDGE)
                if last is not None:
                    topology.addBond(last, atom)
                step = rng.normal(size=3)
                last, x = atom, x + rng.uniform(0.3, 0.4) * step / np.linalg.norm(step)
    topology.setPeriodicBoxVectors(np.eye(3) * EDGE * unit.nanometer)
    return topology, np.array(positions)


def own_forces(topology: app.Topology, charges: bool) -> mm.System:
    """Masses, a harmonic bond between two of the types that the table has none for, and charges."""
    system = mm.System()
    names = [atom.name for atom in topology.atoms()]
    bonds, pairs = mm.HarmonicBondForce(), mm.NonbondedForce()
    for name in names:
        system.addParticle(MASSES[TYPES[name]])
        pairs.addParticle(CHARGES[name], 1.0, 0.0)
    for first, second in topology.bonds():
        if {first.name, second.name} == {"O", "CA"}:
            bonds.addBond(first.index, second.index, 0.35, 900.0)
    system.addForce(bonds)
    if charges:
        pairs.createExceptionsFromBonds([(b[0].index, b[1].index) for b in topology.bonds()], 0.0, 0.0)
        pairs.setNonbondedMethod(pairs.PME)
        pairs.setCutoffDistance(CUTOFF)
        system.addForce(pairs)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * EDGE)
    return system


def table() -> PairTable:
    """Another potential for every pair, and terms that tell a chain's one end from the other."""
    types = ("A", "B", "C", "W")
    knots = np.linspace(0.2, CUTOFF, 20)
    rows = [(3 + k) * np.exp(-6 * knots) * (1 - knots / CUTOFF) ** 2 for k in range(10)]
    coefficients = np.pad(np.array(rows), ((0, 0), (1, 1)))
    coefficients[:, -3:] = 0
    return PairTable(
        types, 0.2, CUTOFF, coefficients,
        bonded=(
            TabulatedTerm(("A", "B"), np.array([5.0, 1.0, 0.0, 2.0, 6.0]), low=0.25, high=0.45, wall=2000.0),
            HarmonicTerm.of(("B", "C"), 1500.0, 0.33),
            TabulatedTerm(("A", "B", "A"), np.linspace(8, 0, 6) ** 1.5, low=1.0, high=np.pi, wall=50.0),
            HarmonicTerm.of(("A", "B", "C"), 20.0, 2.0),
            TabulatedTerm(("B", "A", "B", "C"), 4 * np.cos(np.arange(12))),
            TabulatedTerm(("A", "B", "A", "B"), 3 * np.sin(np.arange(10))),
        ),
    )  # fmt: skip


def ran(folder: Path, name: str = "liquid", charges: bool = False, exclude_bonds: int | None = 3) -> Ran:
    """A state as it comes from files, with a potential file beside it, ready for `write_model`."""
    folder.mkdir(parents=True, exist_ok=True)
    topology, positions = structure()
    with (folder / "start.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, positions * unit.nanometer, file)
    (folder / "start.xml").write_text(mm.XmlSerializer.serialize(own_forces(topology, charges)))
    state = State.from_files(
        name, folder / "start.pdb", folder / "start.xml", types=TYPES, temperature=TEMPERATURE,
        exclude_bonds=None if charges else exclude_bonds,
    )  # fmt: skip
    state.bonded = True
    return Ran(state, table(), state.positions, state.box, 0.005, 2.0, "potential.json")
