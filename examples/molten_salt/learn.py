"""The short-range potentials of molten NaCl, learned in an ordinary OpenMM script with charges in PME.

    python examples/molten_salt/nacl_rdf.py --out examples/molten_salt --steps 0      # nacl.pdb and charges.xml
    python examples/molten_salt/learn.py --out salt-script-out
    python examples/molten_salt/compare.py salt-script-out

The settings are those of fit.yaml.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import openmm as mm
from nacl_rdf import CUTOFF, FRICTION, PAIRS, TEMPERATURE, TIMESTEP
from openmm import app

import diffpair


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=Path, default=Path(__file__).parent, help="folder of what nacl_rdf.py wrote")
    parser.add_argument("--out", type=Path, default=Path("salt-script-out"))
    parser.add_argument("--platform", default="CPU", help="of OpenMM")
    parser.add_argument("--quick", action="store_true", help="a smoke test: too few steps to learn much")
    args = parser.parse_args()

    # An ordinary Simulation: ions and their charges, without what keeps them apart.
    pdb = app.PDBFile(str(args.files / "nacl.pdb"))
    system = mm.XmlSerializer.deserialize((args.files / "charges.xml").read_text())
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, TIMESTEP)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(pdb.topology, system, integrator, mm.Platform.getPlatformByName(args.platform))
    simulation.context.setPositions(pdb.positions)
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, 1)

    # What is new: the three potentials, from the three g(r).
    state = diffpair.State.from_simulation(
        simulation, targets=[diffpair.Rdf(a, b, args.files / f"{a}-{b}.csv") for a, b in PAIRS]
    )
    fit = diffpair.Fit(
        diffpair.Potential("bspline", cutoff=CUTOFF),
        state,
        sampling=diffpair.Sampling(steps=800 if args.quick else 8000),
        production=diffpair.Production(max_steps=400 if args.quick else 20_000),
        update=diffpair.GaussNewton(iterations=1 if args.quick else 15),
    )
    print(fit.run(args.out))

    # And on with it: the same Context runs the learned potentials beside the charges.
    simulation.step(1000)
    print("after 1000 steps more:", simulation.context.getState(energy=True).getPotentialEnergy())


if __name__ == "__main__":
    main()
