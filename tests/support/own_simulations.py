"""Small Simulations as users have them, in reduced units: 1 nm, 1 kJ/mol, 1 amu, 120.27 K."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

from diffpair import PairTable, PairTableForce
from diffpair.states.lattice import lattice_sites

LIQUID = Path(__file__).parents[2] / "examples" / "lennard_jones" / "rdf.csv"
TEMPERATURE, TIMESTEP, DENSITY, CUTOFF = 120.27, 0.005, 0.845, 2.5


def langevin(seed: int = 3) -> mm.LangevinMiddleIntegrator:
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, TIMESTEP)
    integrator.setRandomNumberSeed(seed)
    return integrator


def table(types: tuple[str, ...] = ("A",), knots: int = 40, scale: float = 1.0, cutoff: float = CUTOFF) -> PairTable:
    """Lennard-Jones of one sigma, as coefficients near the spline's; `scale` times as deep."""
    pairs = len(types) * (len(types) + 1) // 2
    r_min = 0.8
    centres = r_min + (np.arange(knots + 2) - 1) * (cutoff - r_min) / (knots - 1)
    c = np.tile(4 * scale * (centres**-12 - centres**-6), (pairs, 1))
    c[:, -3:] = 0
    return PairTable(types, r_min, cutoff, c)


def pair_force(atoms: int, potential: PairTable) -> PairTableForce:
    """All particles of the first type."""
    force = PairTableForce.fromTable(potential)
    force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    for _ in range(atoms):
        force.addParticle(0)
    return force


def liquid(
    *forces: mm.Force, count: int = 108, integrator: mm.Integrator | None = None, platform: str = "CPU",
    density: float = DENSITY, box: np.ndarray | None = None,
) -> app.Simulation:  # fmt: skip
    """Single atoms named A of residues LJ near a lattice, with velocities; `box` rows in nm instead of a cube."""
    box = np.eye(3) * (count / density) ** (1 / 3) if box is None else box
    topology, system = app.Topology(), mm.System()
    chain = topology.addChain()
    for _ in range(count):
        topology.addAtom("A", None, topology.addResidue("LJ", chain))
        system.addParticle(1.0)
    topology.setPeriodicBoxVectors(box * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*box)
    for force in forces:
        system.addForce(force)
    made = app.Simulation(topology, system, integrator or langevin(), mm.Platform.getPlatformByName(platform))
    made.context.setPositions(lattice_sites(count) @ box + np.random.default_rng(1).normal(0, 0.03, (count, 3)))
    made.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    return made


def dimers(edge: float = 6.0, charge: float = 0.0) -> app.Simulation:
    """63 bonded pairs P-Q of residues DIM with a NonbondedForce, and one residue ION with an atom of sodium."""
    topology, system = app.Topology(), mm.System()
    chain, positions = topology.addChain(), []
    bonds, nonbonded = mm.HarmonicBondForce(), mm.NonbondedForce()
    nonbonded.setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)
    nonbonded.setCutoffDistance(2.4)
    nonbonded.setUseDispersionCorrection(False)
    sites = (np.array(list(np.ndindex(4, 4, 4))) + 0.25) * edge / 4
    for site in sites[:-1]:
        residue = topology.addResidue("DIM", chain)
        p, q = (topology.addAtom(name, None, residue) for name in "PQ")
        topology.addBond(p, q)
        bonds.addBond(p.index, q.index, 0.8, 500.0)
        nonbonded.addException(p.index, q.index, 0, 1, 0)
        positions += [site, site + np.array([0.8, 0, 0])]
    topology.addAtom("NA", app.Element.getBySymbol("Na"), topology.addResidue("ION", chain))
    positions.append(sites[-1])
    for index in range(len(positions)):
        system.addParticle(1.0)
        nonbonded.addParticle(charge * (-1) ** index, 0.8, 1.0)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    for force in (bonds, nonbonded):
        system.addForce(force)
    made = app.Simulation(topology, system, langevin(), mm.Platform.getPlatformByName("CPU"))
    made.context.setPositions(np.array(positions))
    made.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    return made


def forces_of(context: mm.Context, **options: int) -> np.ndarray:
    """[N, 3] kJ/mol/nm."""
    return context.getState(forces=True, **options).getForces(asNumpy=True)._value


def alone(simulation: app.Simulation, potential: PairTable) -> np.ndarray:
    """Forces [N, 3] of a table of one type in an independent Reference Context, where the Simulation is now."""
    now = simulation.context.getState(positions=True)
    system = mm.System()
    system.setDefaultPeriodicBoxVectors(*now.getPeriodicBoxVectors())
    for _ in range(simulation.system.getNumParticles()):
        system.addParticle(1.0)
    system.addForce(pair_force(system.getNumParticles(), potential))
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(now.getPositions(asNumpy=True))
    return forces_of(context)


def sound(simulation: app.Simulation) -> bool:
    state = simulation.context.getState(positions=True, velocities=True, energy=True)
    x, v = (f(asNumpy=True)._value for f in (state.getPositions, state.getVelocities))
    return bool(np.isfinite(x).all() and np.isfinite(v).all() and np.abs(v).max() < 30)


def runs(simulation: app.Simulation, potential: PairTable) -> bool:
    """Whether its forces are those of that potential, in a Context that knows nothing of the fit."""
    expected, found = alone(simulation, potential), forces_of(simulation.context)
    return bool(np.abs(found - expected).max() < 3e-4 * np.abs(expected).max())


def lj_force(scale: float = 0.3) -> mm.NonbondedForce:
    force = mm.NonbondedForce()
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(CUTOFF)
    force.setUseDispersionCorrection(False)
    for _ in range(108):
        force.addParticle(0.0, 1.0, scale)
    return force
