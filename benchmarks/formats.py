"""What `diffpair export` loses: a potential of 60 knots in each format, its files, and a liquid in LAMMPS.

    python benchmarks/formats.py [--knots 60] [--points N] [--steps 200]

A Lennard-Jones liquid of 2,048 atoms; forces in LAMMPS against OpenMM's Reference platform, of their root mean square.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import lammps_peer
import numpy as np
import openmm
from fluid import CUTOFF, EPSILON, MASS, R_MIN, SIGMA, TEMPERATURE, TIMESTEP, Fluid, force_of_table, melted
from rich.console import Console
from rich.table import Table

from diffpair import PairTable
from diffpair.formats.curve import Curve
from diffpair.formats.least_squares import fit_curves
from diffpair.formats.units import units_of_style
from diffpair.formats.writing import write_format

CELLS = (8, 8, 8)
IN_LAMMPS = "in LAMMPS:"  # what export says before the commands


def argon(knots: int) -> PairTable:
    """Lennard-Jones on so many knots."""
    r = np.linspace(R_MIN, CUTOFF, 20000)
    sixth = (SIGMA / r) ** 6
    return fit_curves(("Ar",), [Curve("Ar", r, 4 * EPSILON * (sixth**2 - sixth))], R_MIN, CUTOFF, knots).table


def reference(table: PairTable, fluid: Fluid) -> np.ndarray:
    """Forces by OpenMM's Reference platform, [N, 3]."""
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(fluid.box))
    for _ in range(fluid.atoms):
        system.addParticle(MASS)
    system.addForce(force_of_table(table, fluid.atoms))
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    context.setPositions(fluid.positions)
    return np.asarray(context.getState(forces=True).getForces(asNumpy=True)._value)


def in_lammps(table: PairTable, fluid: Fluid, commands: list[str], steps: int) -> tuple[float, float]:
    """The largest error of a force, of their root mean square, and ms per step."""
    done = lammps_peer.run_lammps(
        table,
        fluid.positions,
        fluid.box,
        np.zeros(fluid.atoms, int),
        steps=steps,
        mass=MASS,
        temperature=TEMPERATURE,
        timestep=TIMESTEP,
        commands=commands,
    )
    expected = reference(table, fluid)
    return float(np.abs(done.forces - expected).max() / np.sqrt(np.mean(expected**2))), 1000 * done.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--knots", type=int, default=60)
    parser.add_argument("--points", type=int, help="rows of the tables; as diffpair export chooses them if left out")
    parser.add_argument("--steps", type=int, default=200, help="that are timed in LAMMPS")
    given = parser.parse_args()
    table, fluid = argon(given.knots), melted(CELLS)
    shown = Table("format", "kB", "what export tells", "forces in LAMMPS", "ms per step")
    with tempfile.TemporaryDirectory() as name:
        for kind in ("lammps", "uf3", "gromacs", "hoomd", "csv"):
            out = Path(name) / kind
            points = None if kind == "uf3" else given.points
            said = write_format(table, kind, out, points, units_of_style("real"))
            files = sorted(out.iterdir()) if out.is_dir() else [out]
            size = sum(file.stat().st_size for file in files) / 1000
            numbers = ("", "")
            if IN_LAMMPS in said and lammps_peer.available():
                commands = said[said.index(IN_LAMMPS) + 1 :]
                error, time = in_lammps(table, fluid, commands, given.steps)
                numbers = (f"{error:.1g}", f"{time:.2f}")
            shown.add_row(kind, f"{size:.0f}", said[0].partition(" (")[0], *numbers)
        if lammps_peer.available():
            ours = ["pair_style diffpair", "pair_coeff * * {potential} Ar"]
            error, time = in_lammps(table, fluid, ours, given.steps)
            shown.add_row("the potential file", "", "", f"{error:.1g}", f"{time:.2f}")
    Console(width=120).print(shown)


if __name__ == "__main__":
    main()
