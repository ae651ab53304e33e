"""g(r) between the beads of a liquid of short chains, and its density under pressure: the targets of fit.yaml.

    python examples/chains/chains_rdf.py --out examples/chains
    python examples/chains/chains_rdf.py --out examples/chains --pressure 1

300 chains of four beads, harmonic bonds and angles, Lennard-Jones between beads of different chains, LangevinMiddle at
300 K. Writes chains.pdb (the liquid), bonded.xml (its System with bonds and angles and nothing else), and
intermolecular.csv: r (nm, bin centres), g, and the standard error of g from ten blocks. With --pressure (in bar) a
barostat moves the box, and density.csv (chains per nm^3, g/cm^3 and their errors) is written instead. All forces are
OpenMM's own; `lennard_jones` is the potential that a fit should find.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import openmm as mm
from numpy.typing import ArrayLike, NDArray
from openmm import app, unit
from rich.progress import track

from diffpair.trajectories.rdf import PairChoice, rdf_of_trajectory, write_rdf

TEMPERATURE = 300.0  # K
BEADS, MASS = 4, 56.0  # of a chain; amu of a bead, about four CH2
BOND, BOND_STRENGTH = 0.42, 4000.0  # nm, kJ/mol/nm^2
ANGLE, ANGLE_STRENGTH = np.radians(150), 25.0  # radian, kJ/mol/radian^2
SIGMA, EPSILON = 0.47, 2.5  # nm, kJ/mol
CUTOFF, SWITCH = 1.2, 1.0  # nm; switched, so that a barostat sees what the dynamics does
DENSITY = 8.92  # beads per nm^3: that of 1 bar, by --pressure 1
TIMESTEP, EVERY = 0.015, 20  # ps, steps between frames; bonds vibrate with a period of 0.53 ps
R_RANGE, BIN_WIDTH, BLOCKS = (0.3, 1.5), 0.015, 10  # nm


def lennard_jones(r: ArrayLike) -> NDArray[np.float64]:
    """U at distances r in nm, kJ/mol, with the switch of the simulation."""
    r = np.asarray(r, dtype=np.float64)
    x = np.clip((r - SWITCH) / (CUTOFF - SWITCH), 0, 1)
    energy = 4 * EPSILON * ((SIGMA / r) ** 12 - (SIGMA / r) ** 6)
    return np.asarray(energy * (1 - 10 * x**3 + 15 * x**4 - 6 * x**5))


def bonded(per_side: int) -> tuple[app.Topology, NDArray[np.float64], mm.System]:
    """Chains along z on a lattice, positions in nm, and a System of their masses, bonds and angles alone.

    Args:
        per_side: chains along x and y; per_side^2 * layers of them, as many layers as make the box about cubic.
    """
    layers = max(1, round(per_side / 3))
    chains = per_side**2 * layers
    edge = (chains * BEADS / DENSITY) ** (1 / 3)
    topology, system = app.Topology(), mm.System()
    bonds, angles = mm.HarmonicBondForce(), mm.HarmonicAngleForce()
    chain, positions = topology.addChain(), []
    for x, y, z in np.ndindex(per_side, per_side, layers):
        residue, first = topology.addResidue("C4", chain), system.getNumParticles()
        atoms = [topology.addAtom(f"C{i + 1}", None, residue) for i in range(BEADS)]
        for bead, atom in enumerate(atoms):
            system.addParticle(MASS)
            positions.append([(x + 0.5) / per_side, (y + 0.5) / per_side, (z * BEADS + bead + 0.5) / (layers * BEADS)])
            if bead:
                topology.addBond(atoms[bead - 1], atom)
                bonds.addBond(first + bead - 1, first + bead, BOND, BOND_STRENGTH)
            if bead > 1:
                angles.addAngle(first + bead - 2, first + bead - 1, first + bead, ANGLE, ANGLE_STRENGTH)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    system.addForce(bonds)
    system.addForce(angles)
    return topology, np.array(positions) * edge, system


def between_chains(topology: app.Topology, cutoff: float) -> mm.NonbondedForce:
    """Lennard-Jones between beads of different chains, switched off from SWITCH to the cutoff in nm."""
    force = mm.NonbondedForce()
    for _ in topology.atoms():
        force.addParticle(0.0, SIGMA, EPSILON)
    chains = [[atom.index for atom in residue.atoms()] for residue in topology.residues()]
    for first, *_ in chains:
        for i in range(BEADS):
            for j in range(i):
                force.addException(first + i, first + j, 0.0, SIGMA, 0.0)
    force.setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(cutoff)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(SWITCH)
    force.setUseDispersionCorrection(False)
    return force


def sample_rdf(simulation: app.Simulation, steps: int, out: Path) -> None:
    """intermolecular.csv: the pairs that a fit counts, since the chains' bonds reach over all of each."""
    with tempfile.TemporaryDirectory() as folder:
        trajectory = Path(folder) / "chains.dcd"
        simulation.reporters.append(app.DCDReporter(str(trajectory), EVERY, enforcePeriodicBox=False))
        for _ in track(range(100), "chains"):
            simulation.step(steps // 100)
        simulation.reporters.clear()
        rdf = rdf_of_trajectory(
            [trajectory], topology=out / "chains.pdb", first="all", second=None, r_min=R_RANGE[0], r_max=R_RANGE[1],
            bin_width=BIN_WIDTH, blocks=BLOCKS, choice=PairChoice("intermolecular", system=out / "bonded.xml"),
        )  # fmt: skip
    write_rdf(out / "intermolecular.csv", rdf, [f"chains of {BEADS} beads, {TEMPERATURE:g} K", rdf.pairs])
    noise = "" if rdf.error is None else f", mean error {rdf.error.mean():.4f}"
    print(f"{out / 'intermolecular.csv'}: {rdf.frames} frames, highest g {rdf.g.max():.3f}{noise}")


def sample_density(simulation: app.Simulation, steps: int, out: Path) -> None:
    """density.csv: means over the run, and their standard errors from BLOCKS blocks."""
    volumes = []
    for _ in track(range(steps // EVERY), "chains under pressure"):
        simulation.step(EVERY)
        volumes.append(np.linalg.det(simulation.context.getState().getPeriodicBoxVectors(asNumpy=True)._value))
    chains = simulation.topology.getNumResidues()
    density = chains / np.array([np.mean(block) for block in np.array_split(volumes, BLOCKS)])
    number, error = chains / np.mean(volumes), np.std(density, ddof=1) / BLOCKS**0.5
    grams = BEADS * MASS / 602.214076
    text = f"chains_per_nm3,error,g_per_cm3,error\n{number:.6g},{error:.2g},{grams * number:.6g},{grams * error:.2g}\n"
    (out / "density.csv").write_text(text)
    print(f"{out / 'density.csv'}: {BEADS * number:.4f} +- {BEADS * error:.4f} beads per nm^3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--per-side", type=int, default=10, help="chains along an edge of the starting lattice")
    parser.add_argument("--melting", type=int, default=5_000, help="steps before the sampling, the first half hot")
    parser.add_argument("--steps", type=int, default=40_000, help="of 15 fs; 0: chains.pdb and bonded.xml alone")
    parser.add_argument("--pressure", type=float, help="bar: the density there, in place of g")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", default="CPU", help="of OpenMM")
    args = parser.parse_args()

    topology, positions, system = bonded(args.per_side)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "bonded.xml").write_text(mm.XmlSerializer.serialize(system))
    system.addForce(between_chains(topology, CUTOFF))
    integrator = mm.LangevinMiddleIntegrator(2 * TEMPERATURE, 1.0, TIMESTEP)
    integrator.setRandomNumberSeed(args.seed)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName(args.platform))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=100)
    simulation.context.setVelocitiesToTemperature(2 * TEMPERATURE, args.seed)
    simulation.step(args.melting // 2)
    integrator.setTemperature(TEMPERATURE)
    simulation.step(args.melting // 2)
    if args.pressure is None:
        with (args.out / "chains.pdb").open("w") as file:
            app.PDBFile.writeFile(topology, simulation.context.getState(positions=True).getPositions(), file)
        if args.steps:
            sample_rdf(simulation, args.steps, args.out)
        return
    barostat = mm.MonteCarloBarostat(args.pressure, TEMPERATURE, 10)
    barostat.setRandomNumberSeed(args.seed)
    system.addForce(barostat)
    simulation.context.reinitialize(preserveState=True)
    simulation.step(args.melting)
    sample_density(simulation, args.steps, args.out)


if __name__ == "__main__":
    main()
