"""The pair potential of a liquid of short chains under a barostat, from g(r) and the density, in an OpenMM script.

    python examples/chains/chains_rdf.py --out examples/chains                  # chains.pdb, bonded.xml, the g(r)
    python examples/chains/chains_rdf.py --out examples/chains --pressure 1     # density.csv
    diffpair fit examples/chains/fit.yaml --out chains-out                      # at constant volume
    python examples/chains/pressure.py chains-out --out chains-pressure-out

It starts from the potential of constant volume: with one that holds the liquid together less, the box expands to a gas
of 1 bar, whose g(r) and density tell nothing of the liquid.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import openmm as mm
from chains_rdf import CUTOFF, EVERY, TEMPERATURE, TIMESTEP
from openmm import app

import diffpair

PRESSURE = 1.0  # bar


def under_pressure(folder: Path, platform: str) -> app.Simulation:
    """The chains with their bonds and angles, an integrator and a barostat: all but what acts between chains."""
    pdb = app.PDBFile(str(folder / "chains.pdb"))
    system = mm.XmlSerializer.deserialize((folder / "bonded.xml").read_text())
    for force in system.getForces():
        force.setUsesPeriodicBoundaryConditions(True)  # OpenMM wants one such force beside a barostat
    barostat = mm.MonteCarloBarostat(PRESSURE, TEMPERATURE, 10)  # the volume moves slowly; OpenMM tries every 25 steps
    barostat.setRandomNumberSeed(1)
    system.addForce(barostat)
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, TIMESTEP)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(pdb.topology, system, integrator, mm.Platform.getPlatformByName(platform))
    simulation.context.setPositions(pdb.positions)
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    return simulation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("start", type=Path, help="folder of the fit at constant volume")
    parser.add_argument("--files", type=Path, default=Path(__file__).parent, help="folder of what chains_rdf.py wrote")
    parser.add_argument("--out", type=Path, default=Path("chains-pressure-out"))
    parser.add_argument("--platform", default="CPU", help="of OpenMM")
    parser.add_argument("--quick", action="store_true", help="a smoke test: a density to a per cent or two")
    args = parser.parse_args()

    simulation = under_pressure(args.files, args.platform)
    *_, density, error = np.loadtxt(args.files / "density.csv", delimiter=",", skiprows=1)  # g/cm^3
    state = diffpair.State.from_simulation(
        simulation,
        types={"C4": "C"},
        targets=[
            diffpair.Rdf("C", "C", args.files / "intermolecular.csv"),
            diffpair.Density(f"{density} g/cm^3", f"{error} g/cm^3"),
        ],
    )
    # Volumes move slowly: samplings are longer than at constant volume.
    fit = diffpair.Fit(
        diffpair.Potential("bspline", cutoff=CUTOFF),
        state,
        sampling=diffpair.Sampling(equilibration=2000, steps=4000 if args.quick else 8000, every=EVERY),
        production=diffpair.Production(max_steps=16_000 if args.quick else 80_000, noise_target=0.001),
        update=diffpair.GaussNewton(iterations=5 if args.quick else 12),
        start=str(args.start / "potential.json"),
    )
    print(fit.run(args.out))


if __name__ == "__main__":
    main()
