"""A melt of chains of 20 beads: the truth whose pair, bond, angle and dihedral potential a fit finds.

    python examples/polymer/chains.py --out polymer-truth
    diffpair map polymer-truth/chains.dcd --topology polymer-truth/chains.pdb --map examples/polymer/map.yaml --out cg

20 chains at 300 K and constant volume, LangevinMiddle; all forces are OpenMM's own. The bond is harmonic, the angle has
two wells, the dihedral three, and beads more than three bonds apart feel a Lennard-Jones potential. Writes chains.pdb
(the melt) and chains.dcd (a frame every 0.5 ps).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import openmm as mm
from numpy.typing import ArrayLike, NDArray
from openmm import app, unit
from rich.progress import track

TEMPERATURE = 300.0  # K
BEADS, MASS, DENSITY = 20, 56.0, 7.0  # of a chain; amu; beads per nm^3
BOND, BOND_STRENGTH = 0.38, 6000.0  # nm, kJ/mol/nm^2
BENT, STRETCHED, BARRIER = 1.75, 2.4, 4.0  # rad, of the wells of the angle, and kJ/mol between them
ONCE, THRICE = 1.5, 2.0  # kJ/mol: ONCE (1 + cos phi) + THRICE (1 + cos 3 phi); trans is the lowest of its wells
SIGMA, EPSILON = 0.45, 1.0  # nm, kJ/mol
CUTOFF, SWITCH = 1.1, 0.9  # nm
TIMESTEP, EVERY = 0.01, 50  # ps, steps between frames; bonds vibrate with a period of 0.43 ps


def pair_energy(r: ArrayLike) -> NDArray[np.float64]:
    """U between beads that are r (nm) and more than three bonds apart, kJ/mol."""
    r = np.asarray(r, dtype=np.float64)
    x = np.clip((r - SWITCH) / (CUTOFF - SWITCH), 0, 1)
    energy = 4 * EPSILON * ((SIGMA / r) ** 12 - (SIGMA / r) ** 6)
    return np.asarray(energy * (1 - 10 * x**3 + 15 * x**4 - 6 * x**5))


def bond_energy(r: ArrayLike) -> NDArray[np.float64]:
    """U of a bond, kJ/mol, r in nm."""
    return np.asarray(0.5 * BOND_STRENGTH * (np.asarray(r) - BOND) ** 2)


def angle_energy(theta: ArrayLike) -> NDArray[np.float64]:
    """U of an angle, kJ/mol, theta in rad: a polynomial of fourth order with two equal wells."""
    x = (np.asarray(theta) - (BENT + STRETCHED) / 2) / ((STRETCHED - BENT) / 2)
    return np.asarray(BARRIER * (x**2 - 1) ** 2)


def dihedral_energy(phi: ArrayLike) -> NDArray[np.float64]:
    """U of a dihedral, kJ/mol, phi in rad."""
    return np.asarray(ONCE * (1 + np.cos(phi)) + THRICE * (1 + np.cos(3 * np.asarray(phi))))


def melt(chains: int) -> tuple[app.Topology, NDArray[np.float64], mm.System]:
    """Chains along one winding path through all points of a lattice; positions in nm."""
    edge = (chains * BEADS / DENSITY) ** (1 / 3)
    per_side = int(np.ceil((chains * BEADS) ** (1 / 3) - 1e-9))
    points = []
    for x in range(per_side):
        for y in range(per_side)[:: 1 if x % 2 == 0 else -1]:
            points += [(x, y, z) for z in range(per_side)[:: 1 if (x * per_side + y) % 2 == 0 else -1]]
    topology, system = app.Topology(), mm.System()
    bonds, pairs = mm.HarmonicBondForce(), mm.NonbondedForce()
    half, middle = (STRETCHED - BENT) / 2, (STRETCHED + BENT) / 2
    angles = mm.CustomAngleForce(f"{BARRIER} * (((theta - {middle}) / {half})^2 - 1)^2")
    torsions = mm.PeriodicTorsionForce()
    chain = topology.addChain()
    for _ in range(chains):
        atoms = [topology.addAtom("B", None, topology.addResidue("POL", chain)) for _ in range(BEADS)]
        for k in range(BEADS):
            i = system.addParticle(MASS)
            pairs.addParticle(0.0, SIGMA, EPSILON)
            if k > 0:
                topology.addBond(atoms[k - 1], atoms[k])
                bonds.addBond(i - 1, i, BOND, BOND_STRENGTH)
            if k > 1:
                angles.addAngle(i - 2, i - 1, i, [])
            if k > 2:
                torsions.addTorsion(i - 3, i - 2, i - 1, i, 1, 0.0, ONCE)
                torsions.addTorsion(i - 3, i - 2, i - 1, i, 3, 0.0, THRICE)
    pairs.createExceptionsFromBonds([(b[0].index, b[1].index) for b in topology.bonds()], 0.0, 0.0)
    pairs.setNonbondedMethod(pairs.CutoffPeriodic)
    pairs.setCutoffDistance(CUTOFF)
    pairs.setUseSwitchingFunction(True)
    pairs.setSwitchingDistance(SWITCH)
    pairs.setUseDispersionCorrection(False)
    for force in (bonds, angles, torsions, pairs):
        system.addForce(force)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    # off the lattice: three beads in a straight line have no dihedral
    shifts = np.random.default_rng(1).uniform(-0.1, 0.1, (chains * BEADS, 3))
    return topology, (np.array(points[: chains * BEADS]) + 0.5 + shifts) * edge / per_side, system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--chains", type=int, default=20)
    parser.add_argument("--melting", type=int, default=60_000, help="steps before the sampling, a third of them hot")
    parser.add_argument("--steps", type=int, default=600_000, help="of 10 fs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", default="CPU", help="of OpenMM")
    args = parser.parse_args()

    topology, positions, system = melt(args.chains)
    integrator = mm.LangevinMiddleIntegrator(3 * TEMPERATURE, 1.0, TIMESTEP / 2)
    integrator.setRandomNumberSeed(args.seed)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName(args.platform))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=200)
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, args.seed)
    simulation.step(args.melting // 3)
    integrator.setTemperature(TEMPERATURE)
    integrator.setStepSize(TIMESTEP)
    simulation.step(args.melting - args.melting // 3)

    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "chains.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, simulation.context.getState(positions=True).getPositions(), file)
    trajectory = args.out / "chains.dcd"
    simulation.reporters.append(app.DCDReporter(str(trajectory), EVERY, enforcePeriodicBox=False))
    for _ in track(range(100), "chains"):
        simulation.step(args.steps // 100)
    print(f"{trajectory}: {args.steps // EVERY} frames")


if __name__ == "__main__":
    main()
