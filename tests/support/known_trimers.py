"""A liquid of trimers A-B-A whose forces are known, OpenMM's own, and what is measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.observables.rdf import histogram_rdf
from diffpair.targets.distribution import Distribution, bin_fractions

COUNT, DENSITY, KELVIN = 64, 3.9, 300.0  # molecules, per nm^3
KT = 0.00831446261815324 * KELVIN
CUTOFF, TIMESTEP = 1.1, 0.004
# sigma, epsilon of Lennard-Jones, switched off from 0.95 nm
PAIRS = {"A": (0.42, 1.2), "B": (0.40, 0.9)}
BOND, ANGLE = (3000.0, 0.27), (40.0, 2.3)  # k, x0 of harmonic terms


def pair_energy(r, a, b):
    """kJ/mol at r in nm."""
    sigma, epsilon = 0.5 * (PAIRS[a][0] + PAIRS[b][0]), np.sqrt(PAIRS[a][1] * PAIRS[b][1])
    s = np.clip((r - 0.95) / 0.15, 0, 1)
    return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6) * (1 - 10 * s**3 + 15 * s**4 - 6 * s**5)


def harmonic(x, k, x0):
    return 0.5 * k * (x - x0) ** 2


def bare() -> tuple[app.Topology, np.ndarray, mm.System]:
    """Molecules with masses, and no force."""
    edge = (COUNT / DENSITY) ** (1 / 3)
    topology, system = app.Topology(), mm.System()
    chain, carbon = topology.addChain(), app.Element.getBySymbol("C")
    for _ in range(COUNT):
        residue = topology.addResidue("TRI", chain)
        atoms = [topology.addAtom(name, carbon, residue) for name in ("A1", "B", "A2")]
        topology.addBond(atoms[0], atoms[1])
        topology.addBond(atoms[1], atoms[2])
        for mass in (29.0, 28.0, 29.0):
            system.addParticle(mass)
    cells = round(COUNT ** (1 / 3))
    centres = (np.array(list(np.ndindex(cells, cells, cells))) + 0.5) * edge / cells
    positions = (centres[:, None] + np.array([[-0.24, 0.1, 0], [0, 0, 0], [0.24, 0.1, 0]])).reshape(-1, 3)
    topology.setPeriodicBoxVectors(edge * np.eye(3) * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*(edge * np.eye(3)))
    return topology, positions, system


def bonds() -> np.ndarray:
    return np.array([(3 * i + k, 3 * i + k + 1) for i in range(COUNT) for k in (0, 1)])


def angles() -> np.ndarray:
    return np.array([(3 * i, 3 * i + 1, 3 * i + 2) for i in range(COUNT)])


def truth(system: mm.System) -> None:
    """Add its forces."""
    bond, angle = mm.HarmonicBondForce(), mm.HarmonicAngleForce()
    for i, j in bonds().tolist():
        bond.addBond(i, j, BOND[1], BOND[0])
    for i, j, k in angles().tolist():
        angle.addAngle(i, j, k, ANGLE[1], ANGLE[0])
    pairs = mm.CustomNonbondedForce("4*e*((s/r)^12-(s/r)^6); e=sqrt(e1*e2); s=0.5*(s1+s2)")
    for name in ("s", "e"):
        pairs.addPerParticleParameter(name)
    pairs.setNonbondedMethod(pairs.CutoffPeriodic)
    pairs.setCutoffDistance(CUTOFF)
    pairs.setUseSwitchingFunction(True)
    pairs.setSwitchingDistance(0.95)
    for i in range(3 * COUNT):
        pairs.addParticle(PAIRS["ABA"[i % 3]])
    for i in range(COUNT):
        for a, b in ((0, 1), (0, 2), (1, 2)):
            pairs.addExclusion(3 * i + a, 3 * i + b)
    for force in (bond, angle):
        force.setUsesPeriodicBoundaryConditions(True)
    for force in (bond, angle, pairs):
        system.addForce(force)


@dataclass(frozen=True)
class Measured:
    """Files of what the truth shows. folder: with trimers.pdb, A-A.csv, A-B.csv, B-B.csv, bond.csv, angle.csv."""

    folder: Path

    def targets(self, *kinds: str) -> list[dict]:
        """Entries of a config: all, or those that are named."""
        every = {pair: {"rdf": {"pair": pair.split("-"), "file": f"{pair}.csv"}} for pair in ("A-A", "A-B", "B-B")}
        every["bond"] = {"bond": {"types": ["A", "B"], "file": "bond.csv"}}
        every["angle"] = {"angle": {"types": ["A", "B", "A"], "file": "angle.csv"}}
        return [every[kind] for kind in kinds or every]

    @property
    def system(self) -> dict:
        """Section of a config."""
        types = {"A1": "A", "A2": "A", "B": "B"}
        return {"topology": "trimers.pdb", "types": types, "masses": {"A": "29 amu", "B": "28 amu"}}


def simulate(frames: int, folder: Path) -> Measured:
    """Run the truth and write what it shows."""
    topology, positions, system = bare()
    truth(system)
    integrator = mm.LangevinMiddleIntegrator(KELVIN, 5.0, TIMESTEP)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("CPU"))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=100)
    simulation.context.setVelocitiesToTemperature(KELVIN, 1)
    simulation.step(5000)
    found = []
    for _ in range(frames):
        simulation.step(20)
        found.append(simulation.context.getState(positions=True).getPositions(asNumpy=True)._value)
    x = np.array(found)
    boxes = np.repeat(np.array([list(v._value) for v in system.getDefaultPeriodicBoxVectors()])[None], len(x), 0)
    types, edges = np.tile([0, 1, 0], COUNT), np.linspace(0.25, 1.2, 96)
    excluded = np.array([(3 * i + a, 3 * i + b) for i in range(COUNT) for a, b in ((0, 1), (0, 2), (1, 2))])
    r = 0.5 * (edges[1:] + edges[:-1])
    for name, pair in (("A-A", (0, 0)), ("A-B", (0, 1)), ("B-B", (1, 1))):
        g = np.asarray(histogram_rdf(x, boxes, types, excluded, pair, edges)).reshape(-1, len(r)).mean(0)
        np.savetxt(folder / f"{name}.csv", np.column_stack([r, g]), delimiter=",", header="r,g", comments="")
    for name, kind, paths, low, high in (
        ("bond", ("A", "B"), bonds(), 0.17, 0.37), ("angle", ("A", "B", "A"), angles(), 1.2, np.pi)
    ):  # fmt: skip
        ends = np.linspace(low, high, 51)
        part = bin_fractions(bonded_coordinates(x, boxes, paths), ends).mean(0)
        Distribution(kind, ends, part / (ends[1] - ends[0])).write(folder / f"{name}.csv")
    with (folder / "trimers.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, 10 * x[-1], file)
    return Measured(folder)
