"""Production with the learned one-site water, in plain OpenMM: torch is never imported.

Run it in the repository's root after `diffpair fit`: python examples/water/production.py demo-out
"""

import sys

import numpy as np
import openmm as mm
from rich.progress import track

from diffpair import PairTableForce
from diffpair.observables.rdf import histogram_rdf

folder = sys.argv[1] if len(sys.argv) > 1 else "demo-out"
per_side, edge = 8, 8 / 33.33 ** (1 / 3)  # 512 beads at 33.33 nm^-3

force = PairTableForce.fromFile(f"{folder}/potential.json")
force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
system = mm.System()
system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
for _ in range(per_side**3):
    system.addParticle(18.015)
    force.addParticle(force.findType("W"))
system.addForce(force)

integrator = mm.LangevinMiddleIntegrator(300.0, 1.0, 0.004)
context = mm.Context(system, integrator)
context.setPositions((np.array(list(np.ndindex(per_side, per_side, per_side))) + 0.5) * edge / per_side)
context.setVelocitiesToTemperature(300.0)
frames = []
for step in track(range(5000), "production"):
    integrator.step(10)
    if step >= 1000:  # the lattice has melted long since
        frames.append(context.getState(positions=True).getPositions(asNumpy=True)._value)

r, target, _ = np.loadtxt("examples/water/spce_oo_300K.csv", delimiter=",", skiprows=1, unpack=True)
edges = (r[1] - r[0]) * np.arange(len(r) + 1)
g = histogram_rdf(frames, np.eye(3) * edge, np.zeros(per_side**3), None, (0, 0), edges)
np.savetxt(f"{folder}/production_rdf.csv", np.array([r, g]).T, "%.6g", ",", header="r_nm,g", comments="")
print(f"mean |g - target| = {np.abs(g - target).mean():.4f} over {len(r)} bins to {edges[-1]:.2f} nm")
print(f"wrote {folder}/production_rdf.csv")
