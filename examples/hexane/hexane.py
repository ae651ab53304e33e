"""United-atom n-hexane at 300 K and 1 bar: the trajectory of atoms that map.yaml makes beads of.

    python examples/hexane/hexane.py --out hexane-atoms
    diffpair map hexane-atoms/hexane.dcd --topology hexane-atoms/hexane.pdb --map examples/hexane/map.yaml --out cg
    diffpair fit cg/fit.yaml --out hexane-out

256 molecules by TraPPE-UA: M. G. Martin, J. I. Siepmann, J. Phys. Chem. B 102, 2569 (1998), with its rigid bonds.
LangevinMiddle and a Monte Carlo barostat; all forces are OpenMM's own. Writes hexane.pdb (the liquid where the sampling
begins) and hexane.dcd (a frame every 0.5 ps).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import openmm as mm
from numpy.typing import NDArray
from openmm import app, unit
from rich.progress import track

TEMPERATURE, PRESSURE = 300.0, 1.0  # K, bar
KELVIN = unit.MOLAR_GAS_CONSTANT_R.value_in_unit(unit.kilojoule_per_mole / unit.kelvin)  # kJ/mol
# sigma (nm), epsilon (kJ/mol), mass (amu) of CH3 and CH2
SITES = {"CH3": (0.375, 98 * KELVIN, 15.035), "CH2": (0.395, 46 * KELVIN, 14.027)}
CHAIN = ("CH3", "CH2", "CH2", "CH2", "CH2", "CH3")
BOND = 0.154  # nm, rigid
ANGLE, ANGLE_STRENGTH = np.radians(114), 62_500 * KELVIN  # 1/2 k (theta - theta_0)^2
# c_1 (1 + cos phi) + c_2 (1 - cos 2 phi) + c_3 (1 + cos 3 phi), phi = 180 degrees in trans
TORSION = (355.03 * KELVIN, -68.19 * KELVIN, 791.32 * KELVIN)
CUTOFF = 1.2  # nm, with tail corrections; the paper has 1.4 nm, which a run takes 1.5 times as long for
DENSITY = 655.0 / 86.178 * 0.602214076  # molecules per nm^3 to begin with, of 655 kg/m^3
TIMESTEP, EVERY = 0.005, 100  # ps, steps between frames; angles vibrate with a period of 0.09 ps


def hexane(per_side: int, layers: int) -> tuple[app.Topology, NDArray[np.float64], mm.System]:
    """Molecules in trans along z, per_side^2 in each of the layers; positions in nm."""
    topology, system = app.Topology(), mm.System()
    bends, torsions = mm.HarmonicAngleForce(), mm.PeriodicTorsionForce()
    pairs, chain = mm.NonbondedForce(), topology.addChain()
    edge = (per_side**2 * layers / DENSITY) ** (1 / 3)
    half = ANGLE / 2
    shape = [(BOND * np.cos(half) * (k % 2), 0.0, BOND * np.sin(half) * k) for k in range(len(CHAIN))]
    positions, bonds = [], []
    for x, y, z in np.ndindex(per_side, per_side, layers):
        residue = topology.addResidue("HEX", chain)
        atoms = [topology.addAtom(f"C{k + 1}", None, residue) for k in range(len(CHAIN))]
        corner = np.array([x / per_side, y / per_side, z / layers]) * edge
        for k, kind in enumerate(CHAIN):
            sigma, epsilon, mass = SITES[kind]
            pairs.addParticle(0.0, sigma, epsilon)
            i = system.addParticle(mass)
            positions.append(corner + shape[k])
            if k > 0:
                topology.addBond(atoms[k - 1], atoms[k])
                bonds.append((i - 1, i))
                system.addConstraint(i - 1, i, BOND)
            if k > 1:
                bends.addAngle(i - 2, i - 1, i, ANGLE, ANGLE_STRENGTH)
            if k > 2:
                for n, strength in enumerate(TORSION, start=1):
                    torsions.addTorsion(i - 3, i - 2, i - 1, i, n, np.pi if n == 2 else 0.0, strength)
    pairs.createExceptionsFromBonds(
        bonds, 0.0, 0.0
    )  # four bonds apart and more, beads feel the Lennard-Jones potential
    pairs.setNonbondedMethod(pairs.CutoffPeriodic)
    pairs.setCutoffDistance(min(CUTOFF, 0.45 * edge))
    pairs.setUseDispersionCorrection(True)
    for force in (bends, torsions, pairs):
        system.addForce(force)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    return topology, np.array(positions), system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--per-side", type=int, default=8, help="molecules along x and y of the starting lattice")
    parser.add_argument("--layers", type=int, default=4, help="of molecules along z")
    parser.add_argument("--melting", type=int, default=60_000, help="steps before the sampling, a third of them hot")
    parser.add_argument("--steps", type=int, default=200_000, help="of 5 fs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", default="CPU", help="of OpenMM")
    args = parser.parse_args()

    topology, positions, system = hexane(args.per_side, args.layers)
    barostat = mm.MonteCarloBarostat(PRESSURE, TEMPERATURE, 0)  # it acts after the melting
    barostat.setRandomNumberSeed(args.seed)
    index = system.addForce(barostat)
    integrator = mm.LangevinMiddleIntegrator(2 * TEMPERATURE, 1.0, TIMESTEP / 2)
    integrator.setRandomNumberSeed(args.seed)
    platform = mm.Platform.getPlatformByName(args.platform)
    simulation = app.Simulation(topology, system, integrator, platform)
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=100)
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, args.seed)
    simulation.step(args.melting // 3)
    integrator.setTemperature(TEMPERATURE)
    integrator.setStepSize(TIMESTEP)
    system.getForce(index).setFrequency(25)  # OpenMM reads it at every step
    simulation.step(args.melting - args.melting // 3)

    args.out.mkdir(parents=True, exist_ok=True)
    state = simulation.context.getState(positions=True)
    topology.setPeriodicBoxVectors(state.getPeriodicBoxVectors())
    with (args.out / "hexane.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, state.getPositions(), file)
    simulation.reporters.append(app.DCDReporter(str(args.out / "hexane.dcd"), EVERY, enforcePeriodicBox=False))
    volumes = []
    for _ in track(range(200), "hexane"):
        simulation.step(args.steps // 200)
        volumes.append(simulation.context.getState().getPeriodicBoxVolume()._value)
    mass = sum(SITES[kind][2] for kind in CHAIN) * topology.getNumResidues() / 0.602214076  # kg/m^3 by nm^3
    means = [mass / np.mean(part) for part in np.array_split(volumes, 5)]
    print(f"{args.out / 'hexane.dcd'}: {np.mean(means):.1f} +- {np.std(means, ddof=1) / 5**0.5:.1f} kg/m^3")


if __name__ == "__main__":
    main()
