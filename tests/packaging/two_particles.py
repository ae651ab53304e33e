"""Run as a script by the packaging tests, in a process of its own: production of two particles with a learned table.

Arguments: folder with the package, or "-" for the environment's own; a folder to write to. Prints a JSON object.
"""

import json
import sys
from pathlib import Path

if sys.argv[1] != "-":
    sys.path.insert(0, sys.argv[1])

import numpy as np
import openmm

import diffpair
from diffpair.tables import PairTable

R = 0.41
rng = np.random.default_rng(7)
coefficients = rng.normal(size=(1, 22))
coefficients[:, -3:] = 0
table = PairTable(types=("A",), r_min=0.2, cutoff=0.9, coefficients=coefficients)
path = Path(sys.argv[2]) / "potential.json"
table.save(path)

force = diffpair.PairTableForce.fromFile(str(path))
system = openmm.System()
for _ in range(2):
    system.addParticle(18.0)
    force.addParticle(0)
system.addForce(force)

energies, errors = {}, {}
for platform in ("Reference", "CPU"):
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(platform))
    context.setPositions(np.array([[0, 0, 0], [0, 0, R]]))
    state = context.getState(energy=True, forces=True)
    energies[platform] = state.getPotentialEnergy().value_in_unit(openmm.unit.kilojoule_per_mole)
    along = state.getForces(asNumpy=True)._value[1, 2]
    errors[platform] = float(abs(along - table.force(np.array([R]), "A", "A")[0]))

print(
    json.dumps(
        {
            "package": diffpair.__file__,
            "failures": diffpair.plugin_failures,
            "expected": float(table.energy(np.array([R]), "A", "A")[0]),
            "energies": energies,
            "force_errors": errors,
            "torch_modules": sorted(
                name for name in sys.modules if name.split(".")[0] == "torch" and sys.modules[name]
            ),
        }
    )
)
