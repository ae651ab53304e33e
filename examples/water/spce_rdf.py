"""Oxygen-oxygen g(r) of all-atom SPC/E water at 300 K, simulated with OpenMM: the target of `make demo`.

    python examples/water/spce_rdf.py --ps 1000 --out examples/water/spce_oo_300K.csv

Writes r (nm, bin centres), g and the standard error of g per bin, from ten blocks of the run.
512 rigid molecules, PME, LangevinMiddle, 0.997 g/cm^3.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mdtraj
import numpy as np
import openmm as mm
from openmm import app, unit
from tqdm import tqdm

MOLAR_MASS = 18.01528  # g/mol
BLOCKS = 10
FRAME_INTERVAL = 0.2  # ps


def water_box(per_side: int, density: float, rng: np.random.Generator) -> tuple[app.Topology, np.ndarray, float]:
    """Molecules of random orientation on a simple cubic lattice; positions and box edge in nm, density in g/cm^3."""
    count = per_side**3
    edge = (count * MOLAR_MASS / (density * 602.214076)) ** (1 / 3)
    half_angle = np.radians(109.47) / 2
    hydrogens = 0.1 * np.array(
        [[np.sin(half_angle), np.cos(half_angle), 0], [-np.sin(half_angle), np.cos(half_angle), 0]]
    )
    topology, positions = app.Topology(), []
    chain = topology.addChain()
    for cell in np.ndindex(per_side, per_side, per_side):
        residue = topology.addResidue("HOH", chain)
        oxygen = topology.addAtom("O", app.element.oxygen, residue)
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        centre = (np.array(cell) + 0.5) * edge / per_side
        positions.append(centre)
        for name, arm in zip(("H1", "H2"), hydrogens, strict=True):
            topology.addBond(oxygen, topology.addAtom(name, app.element.hydrogen, residue))
            positions.append(centre + rotation @ arm)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    return topology, np.array(positions), edge


def simulate(args: argparse.Namespace) -> tuple[np.ndarray, float]:
    """Oxygen positions (frames, molecules, 3) and the box edge, both in nm."""
    topology, positions, edge = water_box(args.per_side, args.density, np.random.default_rng(args.seed))
    system = app.ForceField("spce.xml").createSystem(
        topology, nonbondedMethod=app.PME, nonbondedCutoff=0.9 * unit.nanometer, rigidWater=True
    )
    integrator = mm.LangevinMiddleIntegrator(args.temperature, 1.0, 0.002)
    integrator.setRandomNumberSeed(args.seed)
    simulation = app.Simulation(topology, system, integrator)
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy()
    simulation.context.setVelocitiesToTemperature(args.temperature, args.seed)
    per_frame = round(FRAME_INTERVAL / 0.002)
    simulation.step(round(args.equilibration / 0.002))
    frames = []
    for _ in tqdm(range(round(args.ps / FRAME_INTERVAL)), desc="SPC/E water", unit="frame", mininterval=10):
        simulation.step(per_frame)
        frames.append(simulation.context.getState(positions=True).getPositions(asNumpy=True)._value[::3])
    return np.array(frames, dtype=np.float32), edge


def rdf_with_error(frames: np.ndarray, edge: float, args: argparse.Namespace) -> np.ndarray:
    """Columns r, g, standard error over blocks; shape (bins, 3)."""
    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for _ in range(frames.shape[1]):
        topology.add_atom("O", mdtraj.element.oxygen, topology.add_residue("HOH", chain))
    pairs = topology.select_pairs("all", "all")
    blocks = []
    for block in np.array_split(frames, BLOCKS):
        trajectory = mdtraj.Trajectory(block, topology)
        trajectory.unitcell_lengths = np.full((len(block), 3), edge)
        trajectory.unitcell_angles = np.full((len(block), 3), 90.0)
        r, g = mdtraj.compute_rdf(trajectory, pairs, r_range=(0.0, args.r_max), bin_width=args.bin_width)
        blocks.append(g)
    error = np.std(blocks, axis=0, ddof=1) / np.sqrt(BLOCKS)
    return np.column_stack([r, np.mean(blocks, axis=0), error])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ps", type=float, default=1000.0, help="production time")
    parser.add_argument("--equilibration", type=float, default=50.0, help="ps before production")
    parser.add_argument("--per-side", type=int, default=8, help="molecules along one edge of the starting lattice")
    parser.add_argument("--density", type=float, default=0.997, help="g/cm^3")
    parser.add_argument("--temperature", type=float, default=300.0, help="K")
    parser.add_argument("--r-max", type=float, default=1.2, help="nm")
    parser.add_argument("--bin-width", type=float, default=0.01, help="nm")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    frames, edge = simulate(args)
    table = rdf_with_error(frames, edge, args)
    np.savetxt(args.out, table, delimiter=",", header="r_nm,g,error", comments="", fmt="%.6g")
    print(f"{args.out}: {len(frames)} frames, box {edge:.4f} nm, largest error of g in a bin {table[:, 2].max():.4f}")


if __name__ == "__main__":
    main()
