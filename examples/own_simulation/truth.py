"""g(r) between beads of different chains, in the liquid of liquid.py with Lennard-Jones: what that script learns from.

    python examples/own_simulation/truth.py --out examples/own_simulation/beads.csv

sigma = 0.47 nm, epsilon = 1.5 kJ/mol, cut off at 1.2 nm. Writes r (nm, bin centres), g and its standard error.
"""

import argparse

import numpy as np
import openmm as mm
from liquid import make_chains
from openmm import unit
from rich.progress import track

from diffpair.observables.rdf import histogram_rdf

EDGES = np.linspace(0.3, 1.5, 61)
BLOCKS, FRAMES, EVERY = 20, 100, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    topology, system, positions = make_chains()
    pair = mm.CustomNonbondedForce("4 * 1.5 * ((0.47 / r)^12 - (0.47 / r)^6)")
    pair.setNonbondedMethod(pair.CutoffPeriodic)
    pair.setCutoffDistance(1.2)
    for _ in positions:
        pair.addParticle([])
    pair.createExclusionsFromBonds([(bond[0].index, bond[1].index) for bond in topology.bonds()], 2)
    system.addForce(pair)
    integrator = mm.LangevinMiddleIntegrator(300 * unit.kelvin, 2 / unit.picosecond, 10 * unit.femtosecond)
    integrator.setRandomNumberSeed(7)
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("CPU"))
    context.setPositions(positions)
    context.setVelocitiesToTemperature(300 * unit.kelvin, 7)
    integrator.step(10_000)
    excluded = [pair.getExclusionParticles(k) for k in range(pair.getNumExclusions())]
    box = context.getState().getPeriodicBoxVectors(asNumpy=True)._value
    g = []
    for _ in track(range(BLOCKS), "chains"):
        frames = []
        for _ in range(FRAMES):
            integrator.step(EVERY)
            frames.append(context.getState(positions=True).getPositions(asNumpy=True)._value)
        g.append(histogram_rdf(frames, box, np.zeros(len(positions)), excluded, (0, 0), EDGES))
    mean, error = np.mean(g, axis=0), np.std(g, axis=0, ddof=1) / np.sqrt(BLOCKS)
    r = 0.5 * (EDGES[1:] + EDGES[:-1])
    np.savetxt(args.out, np.column_stack([r, mean, error]), "%.5g", ",", header="r_nm,g,error", comments="")


if __name__ == "__main__":
    main()
