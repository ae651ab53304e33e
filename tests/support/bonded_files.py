"""A fit of bonded terms as files: 27 trimers A-B-A, made-up targets, potential files, and the config."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from openmm import app, unit

from diffpair.bonded import HarmonicTerm, TabulatedTerm
from diffpair.tables import PairTable
from diffpair.targets import Distribution

GOOD = """\
potential: {form: bspline, cutoff: 1.0 nm}
bonded:
  - {types: [A, B]}
  - {types: A-B-A, nodes: 12}
states:
  - name: liquid
    system: {topology: trimers.pdb, types: {A1: A, A2: A, B1: B}, masses: 20 amu}
    temperature: 300 K
    targets:
      - rdf: {pair: [A, A], file: rdf.csv}
      - rdf: {pair: [A, B], file: rdf.csv}
      - rdf: {pair: [B, B], file: rdf.csv}
      - bond: {types: [B, A], file: bond.csv}
      - angle: {types: [A, B, A], file: angle.csv}
sampling: {timestep: 4 fs}
"""


def write_files(folder: Path) -> Path:
    """All but the config into a folder."""
    topology, positions = app.Topology(), []
    chain = topology.addChain()
    for cell in np.ndindex(3, 3, 3):
        residue = topology.addResidue("TRI", chain)
        atoms = [topology.addAtom(name, None, residue) for name in ("A1", "B1", "A2")]
        topology.addBond(atoms[0], atoms[1])
        topology.addBond(atoms[1], atoms[2])
        positions += [np.array(cell) + place for place in ([0.1, 0, 0], [0.4, 0.2, 0], [0.7, 0, 0])]
    topology.setPeriodicBoxVectors(3 * np.eye(3) * unit.nanometer)
    with open(folder / "trimers.pdb", "w") as file:
        app.PDBFile.writeFile(topology, np.array(positions) * unit.nanometer, file)
    r = 0.2 + 0.02 * np.arange(60)
    np.savetxt(folder / "rdf.csv", np.column_stack([r, r > 0.4]), delimiter=",", header="r,g", comments="")
    for kind, low, high in (("AB", 0.3, 0.5), ("ABA", 1.2, np.pi), ("BB", 0.3, 0.5), ("ABAB", -np.pi, np.pi)):
        x = np.linspace(low, high, 41)
        p = np.exp(-0.5 * ((x[1:] + x[:-1]) / 2 - (low + high) / 2) ** 2 / (0.15 * (high - low)) ** 2)
        target = Distribution(tuple(kind), x, p / (p.sum() * (x[1] - x[0])))
        name = kind.lower() if kind in ("BB", "ABAB") else target.coordinate.name
        target.write(folder / f"{name}.csv")
    terms = (TabulatedTerm(("A", "B"), np.ones(9), low=0.3, high=0.5), HarmonicTerm.of("ABA", 50.0, 2.0))
    for name, held in (("terms", terms), ("none", ())):
        PairTable(("A", "B"), 0.3, 1.0, np.zeros((3, 12)), bonded=held).save(folder / f"{name}.json")
    return folder
