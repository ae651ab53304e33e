"""Mixtures of methanol and ethanol at 300 K and 1 bar: trajectories of atoms, which map.yaml makes beads of.

    python examples/alcohols/alcohols.py --methanol 0.5 --out alcohols-50
    diffpair map alcohols-50/mixture.dcd --topology alcohols-50/mixture.pdb --map examples/alcohols/map.yaml --out cg-50

The united-atom model TraPPE-UA with charges in PME: B. Chen, J. J. Potoff, J. I. Siepmann, J. Phys. Chem. B 105, 3093
(2001), with rigid bonds. The hydrogen of the hydroxyl group has 3 amu and the oxygen 2 amu less than in nature, which
changes no structure and lets the time step be 4 fs. LangevinMiddle and a Monte Carlo barostat. Writes mixture.pdb and
mixture.dcd (a frame every 0.4 ps).
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
# charge (e), sigma (nm), epsilon (kJ/mol), mass (amu); the carbon beside the oxygen has a charge
SITES = {
    "O": (-0.700, 0.302, 93 * KELVIN, 13.999),
    "H": (0.435, 0.1, 0.0, 3.008),
    "CH3O": (0.265, 0.375, 98 * KELVIN, 15.035),
    "CH2O": (0.265, 0.395, 46 * KELVIN, 14.027),
    "CH3": (0.0, 0.375, 98 * KELVIN, 15.035),
}
# residue: sites in a chain, by the names of their atoms
MOLECULES = {
    "MOH": {"C1": "CH3O", "O1": "O", "H1": "H"},
    "EOH": {"C2": "CH3", "C1": "CH2O", "O1": "O", "H1": "H"},
}
BONDS = {("CH2O", "CH3"): 0.154, ("CH2O", "O"): 0.143, ("CH3O", "O"): 0.143, ("H", "O"): 0.0945}  # nm
COH, CCO = (np.radians(108.5), 55_400 * KELVIN), (np.radians(109.47), 50_400 * KELVIN)  # rad, kJ/mol/rad^2
# of C-C-O-H: c_1 (1 + cos phi) + c_2 (1 - cos 2 phi) + c_3 (1 + cos 3 phi)
TORSION = (209.82 * KELVIN, -29.17 * KELVIN, 187.93 * KELVIN)
CUTOFF = 1.0  # nm, with tail corrections; the paper has 1.4 nm
SPACE = {"MOH": 0.068, "EOH": 0.098}  # nm^3 of a molecule, to begin with
TIMESTEP, EVERY = 0.004, 100  # ps, steps between frames


def mixture(molecules: int, methanol: float) -> tuple[app.Topology, NDArray[np.float64], mm.System]:
    """Molecules on a lattice in random order; positions in nm."""
    number = round(methanol * molecules)
    kinds = np.random.default_rng(1).permutation(["MOH"] * number + ["EOH"] * (molecules - number))
    edge = float(sum(SPACE[kind] for kind in kinds) ** (1 / 3))
    per_side = int(np.ceil(molecules ** (1 / 3) - 1e-9))
    topology, system = app.Topology(), mm.System()
    angles, torsions, pairs = mm.HarmonicAngleForce(), mm.PeriodicTorsionForce(), mm.NonbondedForce()
    chain, positions, bonds = topology.addChain(), [], []
    for kind, place in zip(kinds, np.ndindex(per_side, per_side, per_side), strict=False):
        names = MOLECULES[str(kind)]
        residue, types = topology.addResidue(str(kind), chain), list(names.values())
        atoms = [topology.addAtom(name, None, residue) for name in names]
        x = np.array(place) * edge / per_side
        for k, site in enumerate(types):
            charge, sigma, epsilon, mass = SITES[site]
            i = system.addParticle(mass)
            pairs.addParticle(charge, sigma, epsilon)
            if k > 0:
                length = BONDS[tuple(sorted(types[k - 1 : k + 1]))]
                x = x + length * np.array([0.8, 0.6 * (-1) ** k, 0])
                topology.addBond(atoms[k - 1], atoms[k])
                bonds.append((i - 1, i))
                system.addConstraint(i - 1, i, length)
            if k > 1:
                angles.addAngle(i - 2, i - 1, i, *(COH if site == "H" else CCO))
            if k > 2:
                for n, strength in enumerate(TORSION, start=1):
                    torsions.addTorsion(i - 3, i - 2, i - 1, i, n, np.pi if n == 2 else 0.0, strength)
            positions.append(x)
    pairs.createExceptionsFromBonds(bonds, 0.0, 0.0)
    pairs.setNonbondedMethod(pairs.PME)
    pairs.setCutoffDistance(min(CUTOFF, 0.45 * edge))
    pairs.setUseDispersionCorrection(True)
    for force in (angles, torsions, pairs):
        system.addForce(force)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    return topology, np.array(positions), system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--methanol", type=float, default=0.5, help="its mole fraction")
    parser.add_argument("--molecules", type=int, default=256)
    parser.add_argument("--melting", type=int, default=50_000, help="steps before the sampling, a fifth of them hot")
    parser.add_argument("--steps", type=int, default=300_000, help="of 4 fs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", default="CPU", help="of OpenMM")
    args = parser.parse_args()

    topology, positions, system = mixture(args.molecules, args.methanol)
    barostat = mm.MonteCarloBarostat(PRESSURE, TEMPERATURE, 0)  # it acts after the melting
    barostat.setRandomNumberSeed(args.seed)
    index = system.addForce(barostat)
    integrator = mm.LangevinMiddleIntegrator(1.5 * TEMPERATURE, 1.0, TIMESTEP / 2)
    integrator.setRandomNumberSeed(args.seed)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName(args.platform))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=200)
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, args.seed)
    simulation.step(args.melting // 5)
    integrator.setTemperature(TEMPERATURE)
    integrator.setStepSize(TIMESTEP)
    system.getForce(index).setFrequency(25)  # OpenMM reads it at every step
    simulation.step(args.melting - args.melting // 5)

    args.out.mkdir(parents=True, exist_ok=True)
    state = simulation.context.getState(positions=True)
    topology.setPeriodicBoxVectors(state.getPeriodicBoxVectors())
    with (args.out / "mixture.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, state.getPositions(), file)
    simulation.reporters.append(app.DCDReporter(str(args.out / "mixture.dcd"), EVERY, enforcePeriodicBox=False))
    for _ in track(range(100), f"{100 * args.methanol:g} % methanol"):
        simulation.step(args.steps // 100)
    print(f"{args.out / 'mixture.dcd'}: {args.steps // EVERY} frames")


if __name__ == "__main__":
    main()
