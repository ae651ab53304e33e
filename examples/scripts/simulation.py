"""A learned potential in an ordinary OpenMM script: Simulation, reporters, a barostat. torch is never imported.

    python examples/scripts/simulation.py [--steps 20000] [--out FOLDER]

potential.json beside this file is the result of `diffpair fit examples/lennard_jones/fit.yaml --out lj-out`, in reduced
units (1 nm, 1 kJ/mol, 1 amu). What the script leaves in FOLDER is all that restart.py, the example next to it, needs.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

from diffpair import PairTableForce

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=20_000)
parser.add_argument("--out", type=Path, default=Path("simulation-out"))
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)

# The script as it was before: atoms on a lattice, an integrator, a barostat.
per_side, edge = 8, 8 / 0.845 ** (1 / 3)
topology = app.Topology()
chain = topology.addChain()
for _ in range(per_side**3):
    topology.addAtom("A", None, topology.addResidue("A", chain))
topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
positions = (np.array(list(np.ndindex(per_side, per_side, per_side))) + 0.5) * edge / per_side

system = mm.System()
system.setDefaultPeriodicBoxVectors(*topology.getPeriodicBoxVectors())
for _ in topology.atoms():
    system.addParticle(1.0 * unit.amu)
system.addForce(mm.MonteCarloBarostat(84 * unit.bar, 120.27 * unit.kelvin))  # where the fitted liquid has its density

# What is new: the learned potential.
force = PairTableForce.fromFile(Path(__file__).with_name("potential.json"))
force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
for _ in topology.atoms():
    force.addParticle(force.findType("A"))
system.addForce(force)

integrator = mm.LangevinMiddleIntegrator(120.27 * unit.kelvin, 1.0 / unit.picosecond, 5.0 * unit.femtosecond)
simulation = app.Simulation(topology, system, integrator)
simulation.context.setPositions(positions)
simulation.context.setVelocitiesToTemperature(120.27 * unit.kelvin)
columns = {"step": True, "potentialEnergy": True, "temperature": True, "density": True, "speed": True}
every = max(1, args.steps // 20)
simulation.reporters.append(app.StateDataReporter(sys.stdout, every, **columns))
simulation.reporters.append(app.StateDataReporter(str(args.out / "log.csv"), every, **columns))
simulation.reporters.append(app.DCDReporter(str(args.out / "trajectory.dcd"), every))
simulation.step(args.steps)

(args.out / "system.xml").write_text(mm.XmlSerializer.serialize(system))
simulation.saveState(str(args.out / "state.xml"))
