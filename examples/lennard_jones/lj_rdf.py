"""g(r) of the Lennard-Jones liquid in reduced units (1 nm, 1 kJ/mol, 1 amu), simulated with OpenMM's NonbondedForce.

    python examples/lennard_jones/lj_rdf.py --out examples/lennard_jones/rdf.csv

864 atoms, rho 0.845, T* = 1 (120.27 K), cutoff 2.5 sigma. Writes r (nm, bin centres) and g: the target of fit.yaml.
"""

from __future__ import annotations

import argparse

import mdtraj
import numpy as np
import openmm as mm
from rich.progress import track

MELTING, EVERY, BINS, R_RANGE = 5_000, 20, 100, (0.75, 3.3)


def fcc(cells: int, density: float) -> tuple[np.ndarray, float]:
    """Positions [4 cells^3, 3] and box edge in nm."""
    edge = cells * (4 / density) ** (1 / 3)
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return (np.array(list(np.ndindex(cells, cells, cells)))[:, None] + basis).reshape(-1, 3) * edge / cells, edge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--cells", type=int, default=6, help="FCC cells along an edge; 4 cells^3 atoms")
    parser.add_argument("--density", type=float, default=0.845, help="nm^-3")
    parser.add_argument("--temperature", type=float, default=120.27, help="K")
    parser.add_argument("--steps", type=int, default=40_000, help="of 5 fs")
    args = parser.parse_args()

    positions, edge = fcc(args.cells, args.density)
    system, force = mm.System(), mm.NonbondedForce()
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    force.setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(2.5)
    force.setUseDispersionCorrection(False)
    for _ in positions:
        system.addParticle(1.0)
        force.addParticle(0.0, 1.0, 1.0)
    system.addForce(force)
    integrator = mm.LangevinMiddleIntegrator(args.temperature, 1.0, 0.005)
    integrator.setRandomNumberSeed(1)
    context = mm.Context(system, integrator)
    context.setPositions(positions)
    context.setVelocitiesToTemperature(2 * args.temperature, 1)  # half of it goes into melting
    integrator.step(MELTING)
    frames = []
    for _ in track(range(args.steps // EVERY), "Lennard-Jones"):
        integrator.step(EVERY)
        frames.append(context.getState(positions=True).getPositions(asNumpy=True)._value)

    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for _ in positions:
        topology.add_atom("Ar", mdtraj.element.argon, topology.add_residue("Ar", chain))
    trajectory = mdtraj.Trajectory(np.array(frames, dtype=np.float32), topology)
    trajectory.unitcell_lengths = np.full((len(frames), 3), edge)
    trajectory.unitcell_angles = np.full((len(frames), 3), 90.0)
    pairs = topology.select_pairs("all", "all")
    pieces = [
        mdtraj.compute_rdf(trajectory[i : i + 100], pairs, R_RANGE, n_bins=BINS) for i in range(0, len(frames), 100)
    ]
    rdf = np.column_stack([pieces[0][0], np.mean([g for _, g in pieces], axis=0)])
    np.savetxt(args.out, rdf, delimiter=",", header="r_nm,g", comments="", fmt="%.6g")
    print(f"{args.out}: {len(frames)} frames of {len(positions)} atoms, box {edge:.4f} nm")


if __name__ == "__main__":
    main()
