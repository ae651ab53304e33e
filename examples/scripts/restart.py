"""A System with a learned potential, from its XML alone: the file holds the table, and one import lets OpenMM read it.

    python examples/scripts/restart.py simulation-out [STEPS]

goes on where simulation.py stopped.
"""

import sys
from pathlib import Path

import openmm as mm

import diffpair  # noqa: F401  the one line that is needed

folder = Path(sys.argv[1])
system = mm.XmlSerializer.deserialize((folder / "system.xml").read_text())
state = mm.XmlSerializer.deserialize((folder / "state.xml").read_text())
context = mm.Context(system, mm.LangevinMiddleIntegrator(120.27, 1.0, 0.005))
context.setState(state)
context.getIntegrator().step(int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
energy = context.getState(energy=True).getPotentialEnergy()
print(f"step {context.getStepCount()}: {energy / system.getNumParticles()} per particle")
