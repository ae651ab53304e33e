"""A small liquid of flexible trimers A-B-A: its System, start and trajectory, as files that a user would have."""

from __future__ import annotations

from pathlib import Path

import mdtraj
import numpy as np
import openmm as mm
from openmm import app, unit

MOLECULES, EDGE, BOND, TEMPERATURE = 64, 3.2, 0.38, 300.0
MASSES = {"A": 50.0, "B": 60.0}


def molecules() -> tuple[app.Topology, np.ndarray]:
    """Trimers on a simple cubic lattice, all along x, and their bonds; positions in nm."""
    topology, positions = app.Topology(), []
    chain = topology.addChain()
    per_side = round(MOLECULES ** (1 / 3))
    for corner in np.ndindex(per_side, per_side, per_side):
        residue = topology.addResidue("TRI", chain)
        atoms = [topology.addAtom(name, None, residue) for name in ("A1", "B", "A2")]
        topology.addBond(atoms[0], atoms[1])
        topology.addBond(atoms[1], atoms[2])
        centre = (np.array(corner) + 0.5) * EDGE / per_side
        positions += [centre + np.array([dx, dy, 0]) for dx, dy in ((-0.3, 0), (0, 0.233), (0.3, 0))]
    topology.setPeriodicBoxVectors(np.eye(3) * EDGE * unit.nanometer)
    return topology, np.array(positions)


def bonded_system() -> mm.System:
    """Masses, bonds and a box: the forces that a fit is given."""
    system = mm.System()
    bonds = mm.HarmonicBondForce()
    for first in range(0, 3 * MOLECULES, 3):
        for name in "ABA":
            system.addParticle(MASSES[name])
        bonds.addBond(first, first + 1, BOND, 20000.0)
        bonds.addBond(first + 1, first + 2, BOND, 20000.0)
    system.addForce(bonds)
    system.setDefaultPeriodicBoxVectors(*(np.eye(3) * EDGE))
    return system


def write_files(folder: Path, frames: int, every: int = 30, timestep: float = 0.015) -> None:
    """`start.pdb`, `system.xml` without the pair force, and `run.dcd` with it: Lennard-Jones between molecules."""
    topology, positions = molecules()
    system = bonded_system()
    (folder / "system.xml").write_text(mm.XmlSerializer.serialize(system))
    pair = mm.CustomNonbondedForce("4*0.8*((0.47/r)^12-(0.47/r)^6)")
    pair.setNonbondedMethod(pair.CutoffPeriodic)
    pair.setCutoffDistance(1.2)
    for _ in positions:
        pair.addParticle([])
    pair.createExclusionsFromBonds([(bond[0].index, bond[1].index) for bond in topology.bonds()], 3)
    system.addForce(pair)
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, 2.0, timestep)
    integrator.setRandomNumberSeed(3)
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("CPU"))
    context.setPositions(positions)
    mm.LocalEnergyMinimizer.minimize(context, 10.0, 100)
    context.setVelocitiesToTemperature(TEMPERATURE, 3)
    integrator.step(1500)
    x = np.empty((frames, len(positions), 3))
    for frame in x:
        integrator.step(every)
        frame[:] = context.getState(positions=True).getPositions(asNumpy=True)._value
    with (folder / "start.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, x[-1] * unit.nanometer, file)
    lengths = np.full((frames, 3), EDGE)
    mdtraj.Trajectory(
        x, mdtraj.load_topology(str(folder / "start.pdb")), unitcell_lengths=lengths,
        unitcell_angles=np.full((frames, 3), 90.0),
    ).save_dcd(str(folder / "run.dcd"))  # fmt: skip
