"""An ordinary OpenMM script that learns the pair potential of its molecules on the way: about five lines are new.

    python examples/own_simulation/liquid.py [--steps 20000] [--out FOLDER]

A liquid of chains of three beads, with bonds, angles, an integrator and reporters of its own. How beads of different
chains interact is not known; their g(r) is, in beads.csv beside this file. `python truth.py` has made that.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

import diffpair

HERE = Path(__file__).parent
PER_SIDE, EDGE = 5, 4.0  # chains along an edge of the box; nm


def make_chains() -> tuple[app.Topology, mm.System, np.ndarray]:
    """Topology, System with bonds and angles, and positions [375, 3] in nm on a lattice."""
    topology, system = app.Topology(), mm.System()
    bonds, angles = mm.HarmonicBondForce(), mm.HarmonicAngleForce()
    chain, positions = topology.addChain(), []
    for corner in np.ndindex(PER_SIDE, PER_SIDE, PER_SIDE):
        residue = topology.addResidue("CHN", chain)
        beads = [topology.addAtom(name, None, residue) for name in ("B1", "B2", "B3")]
        a, b, c = (bead.index for bead in beads)
        for first, second in zip(beads[:-1], beads[1:], strict=True):
            topology.addBond(first, second)
            bonds.addBond(first.index, second.index, 0.38, 10000)
        angles.addAngle(a, b, c, 2.1, 20)
        centre = (np.array(corner) + 0.5) * EDGE / PER_SIDE
        positions += [centre + np.array(shift) for shift in ((-0.23, -0.23, 0), (0, 0, 0.19), (0.23, 0.23, 0))]
        for _ in beads:
            system.addParticle(60 * unit.dalton)
    topology.setPeriodicBoxVectors(np.eye(3) * EDGE * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*topology.getPeriodicBoxVectors())
    for force in (bonds, angles):
        system.addForce(force)
    return topology, system, np.array(positions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20_000, help="of production")
    parser.add_argument("--quick", action="store_true", help="a smoke test: too few steps to learn much")
    parser.add_argument("--out", type=Path, default=Path("liquid-out"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    # The script as it was before.
    topology, system, positions = make_chains()
    integrator = mm.LangevinMiddleIntegrator(300 * unit.kelvin, 2 / unit.picosecond, 10 * unit.femtosecond)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(topology, system, integrator)
    simulation.context.setPositions(positions)
    simulation.context.setVelocitiesToTemperature(300 * unit.kelvin, 1)
    columns = {"step": True, "potentialEnergy": True, "temperature": True, "speed": True}
    simulation.reporters.append(app.StateDataReporter(sys.stdout, 5000, **columns))
    simulation.reporters.append(app.DCDReporter(str(args.out / "trajectory.dcd"), 1000))

    # What is new: the potential between all beads, learned from their g(r).
    target = diffpair.Rdf("bead", "bead", HERE / "beads.csv")
    state = diffpair.State.from_simulation(simulation, types={"CHN": "bead"}, targets=[target])
    short = {"sampling": diffpair.Sampling(steps=200), "production": diffpair.Production(max_steps=400)}
    potential = diffpair.Potential("bspline", cutoff=1.2 * unit.nanometer)
    fit = diffpair.Fit(potential, state, **(short if args.quick else {}))
    print(fit.run(args.out))

    # And on as before: the same Context now runs the learned potential.
    simulation.step(args.steps)
    simulation.saveState(str(args.out / "state.xml"))


if __name__ == "__main__":
    main()
