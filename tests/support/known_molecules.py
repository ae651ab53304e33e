"""A liquid of small molecules whose forces are known, OpenMM's own, and what is measured of it.

Trimers A-B-A unless said otherwise; dimers A-B and single A share their forces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.observables.rdf import histogram_rdf
from diffpair.targets.distribution import Distribution, bin_fractions

COUNT, DENSITY, KELVIN = 64, 3.9, 300.0  # molecules, per nm^3
TRIMERS = ("ABA",) * COUNT
KT = 0.00831446261815324 * KELVIN
CUTOFF, TIMESTEP = 1.1, 0.004
# sigma, epsilon of Lennard-Jones, switched off from 0.95 nm
PAIRS = {"A": (0.42, 1.2), "B": (0.40, 0.9)}
MASSES = {"A": 29.0, "B": 28.0}
BOND, ANGLE = (3000.0, 0.27), (40.0, 2.3)  # k, x0 of harmonic terms
RESIDUES = {"ABA": "TRI", "AB": "DIM", "A": "MON"}
TYPES = {"A1": "A", "A2": "A", "B": "B"}
SHAPE = np.array([[-0.24, 0.1, 0], [0, 0, 0], [0.24, 0.1, 0]])


def pair_energy(r, a, b):
    """kJ/mol at r in nm."""
    sigma, epsilon = 0.5 * (PAIRS[a][0] + PAIRS[b][0]), np.sqrt(PAIRS[a][1] * PAIRS[b][1])
    s = np.clip((r - 0.95) / 0.15, 0, 1)
    return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6) * (1 - 10 * s**3 + 15 * s**4 - 6 * s**5)


def harmonic(x, k, x0):
    return 0.5 * k * (x - x0) ** 2


def bare(molecules: Sequence[str] = TRIMERS, density: float = DENSITY) -> tuple[app.Topology, np.ndarray, mm.System]:
    """Molecules with masses, and no force. density: per nm^3, of molecules."""
    edge = (len(molecules) / density) ** (1 / 3)
    topology, system = app.Topology(), mm.System()
    chain, carbon = topology.addChain(), app.Element.getBySymbol("C")
    for kind in molecules:
        residue = topology.addResidue(RESIDUES[kind], chain)
        atoms = [topology.addAtom(name, carbon, residue) for name in ("A1", "B", "A2")[: len(kind)]]
        for pair in zip(atoms, atoms[1:], strict=False):
            topology.addBond(*pair)
        for bead in kind:
            system.addParticle(MASSES[bead])
    cells = int(np.ceil(len(molecules) ** (1 / 3)))
    centres = (np.array(list(np.ndindex(cells, cells, cells))) + 0.5) * edge / cells
    positions = np.concatenate([centre + SHAPE[: len(kind)] for centre, kind in zip(centres, molecules, strict=False)])
    topology.setPeriodicBoxVectors(edge * np.eye(3) * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*(edge * np.eye(3)))
    return topology, positions, system


def _within(molecules: Sequence[str], count: int) -> np.ndarray:
    """All runs of so many particles along the chains, [n, count]."""
    first = np.cumsum([0, *map(len, molecules)])
    runs = [range(i + k, i + k + count) for i, kind in zip(first, molecules, strict=False)
            for k in range(len(kind) - count + 1)]  # fmt: skip
    return np.array([list(run) for run in runs], dtype=int).reshape(-1, count)


def bonds(molecules: Sequence[str] = TRIMERS) -> np.ndarray:
    return _within(molecules, 2)


def angles(molecules: Sequence[str] = TRIMERS) -> np.ndarray:
    return _within(molecules, 3)


def _excluded(molecules: Sequence[str]) -> np.ndarray:
    """All pairs within molecules."""
    first = np.cumsum([0, *map(len, molecules)])
    pairs = [(i + a, i + b) for i, kind in zip(first, molecules, strict=False)
             for a, b in combinations(range(len(kind)), 2)]  # fmt: skip
    return np.array(pairs, dtype=int).reshape(-1, 2)


def truth(system: mm.System, molecules: Sequence[str] = TRIMERS) -> None:
    """Add its forces."""
    bond, angle = mm.HarmonicBondForce(), mm.HarmonicAngleForce()
    for i, j in bonds(molecules).tolist():
        bond.addBond(i, j, BOND[1], BOND[0])
    for i, j, k in angles(molecules).tolist():
        angle.addAngle(i, j, k, ANGLE[1], ANGLE[0])
    pairs = mm.NonbondedForce()
    pairs.setNonbondedMethod(pairs.CutoffPeriodic)
    pairs.setCutoffDistance(CUTOFF)
    pairs.setUseSwitchingFunction(True)
    pairs.setSwitchingDistance(0.95)
    pairs.setUseDispersionCorrection(False)
    for bead in "".join(molecules):
        pairs.addParticle(0.0, *PAIRS[bead])
    for i, j in _excluded(molecules).tolist():
        pairs.addException(i, j, 0.0, 1.0, 0.0)
    for force in (bond, angle):
        force.setUsesPeriodicBoundaryConditions(True)
    for force in (bond, angle, pairs):
        system.addForce(force)


@dataclass(frozen=True)
class Measured:
    """Files of what the truth shows.

    folder: with beads.pdb, A-A.csv, A-B.csv, B-B.csv, bond.csv, angle.csv of what there is. kelvin: of it. system:
    section of a config. density: molecules per nm^3.
    """

    folder: Path
    kelvin: float
    system: dict
    density: float

    def targets(self, *kinds: str) -> list[dict]:
        """Entries of a config: all, or those that are named."""
        every = {pair: {"rdf": {"pair": pair.split("-"), "file": self.file(pair)}} for pair in ("A-A", "A-B", "B-B")}
        every["bond"] = {"bond": {"types": ["A", "B"], "file": self.file("bond")}}
        every["angle"] = {"angle": {"types": ["A", "B", "A"], "file": self.file("angle")}}
        there = [kind for kind in every if (self.folder / f"{kind}.csv").is_file()]
        return [every[kind] for kind in kinds or there]

    def file(self, name: str) -> str:
        return str(self.folder / f"{name}.csv")

    def state(self, name: str, *further: dict) -> dict:
        """Entry of a config with all targets and further ones."""
        return {"name": name, "system": self.system, "temperature": f"{self.kelvin} K",
                "targets": [*self.targets(), *further]}  # fmt: skip


def simulate(
    frames: int, folder: Path, molecules: Sequence[str] = TRIMERS, kelvin: float = KELVIN,
    pressure: float | None = None, density: float = DENSITY,
) -> Measured:  # fmt: skip
    """Run the truth and write what it shows. pressure: bar, of a barostat; otherwise the volume is constant."""
    topology, positions, system = bare(molecules, density)
    truth(system, molecules)
    if pressure is not None:
        system.addForce(mm.MonteCarloBarostat(pressure, kelvin, 10))
        system.getForces()[-1].setRandomNumberSeed(1)
    integrator = mm.LangevinMiddleIntegrator(kelvin, 5.0, TIMESTEP)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("CPU"))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=100)
    simulation.context.setVelocitiesToTemperature(kelvin, 1)
    simulation.step(3000)
    found, cells = [], []
    for _ in range(frames):
        simulation.step(20)
        now = simulation.context.getState(positions=True)
        found.append(now.getPositions(asNumpy=True)._value)
        cells.append(np.array(now.getPeriodicBoxVectors()._value))
    x, boxes = np.array(found), np.array(cells)
    types, edges = np.array(["AB".index(bead) for bead in "".join(molecules)]), np.linspace(0.25, 1.2, 96)
    edges = edges[edges < 0.5 * boxes[:, 0, 0].min()]
    r = 0.5 * (edges[1:] + edges[:-1])
    folder.mkdir(exist_ok=True)
    for name, pair in (("A-A", (0, 0)), ("A-B", (0, 1)), ("B-B", (1, 1))):
        if not {*pair} <= {*types.tolist()}:
            continue
        g = np.asarray(histogram_rdf(x, boxes, types, _excluded(molecules), pair, edges))
        g = g.reshape(-1, len(r)).mean(0)
        np.savetxt(folder / f"{name}.csv", np.column_stack([r, g]), delimiter=",", header="r,g", comments="")
    for name, kind, paths, low, high in (
        ("bond", ("A", "B"), bonds(molecules), 0.17, 0.37), ("angle", ("A", "B", "A"), angles(molecules), 1.2, np.pi)
    ):  # fmt: skip
        if len(paths):
            ends = np.linspace(low, high, 51)
            part = bin_fractions(bonded_coordinates(x, boxes, paths), ends).mean(0)
            Distribution(kind, ends, part / (ends[1] - ends[0])).write(folder / f"{name}.csv")
    topology.setPeriodicBoxVectors(boxes[-1] * unit.nanometer)
    with (folder / "beads.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, 10 * x[-1], file)
    section = {"topology": str(folder / "beads.pdb"), "types": TYPES}
    if pressure is None:
        section["masses"] = {bead: f"{MASSES[bead]} amu" for bead in sorted({*"".join(molecules)})}
    else:
        _, _, held = bare(molecules, density)
        held.addForce(mm.MonteCarloBarostat(pressure, kelvin, 10))
        (folder / "system.xml").write_text(mm.XmlSerializer.serialize(held))
        section["xml"] = str(folder / "system.xml")
    return Measured(folder, kelvin, section, float(np.mean(len(molecules) / np.linalg.det(boxes))))
