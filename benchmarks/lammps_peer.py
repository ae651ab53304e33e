"""LAMMPS with a learned potential, by default as `diffpair export --format lammps` writes it: forces, energy, speed.

LAMMPS is that of this environment (packages lammps and mpich). Lengths and energies here are in nm and kJ/mol.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffpair import PairTable
from diffpair.formats.lammps import lammps_commands, lammps_table
from diffpair_lammps import plugin_folder

_KJ, _ANGSTROM = 4.184, 10.0
_MPIEXEC = Path(sys.prefix) / "bin/mpiexec"
LACKS = "needs LAMMPS: pip install -c constraints.txt lammps mpich"


@dataclass(frozen=True)
class LammpsResult:
    """Energy in kJ/mol and forces [N, 3] in kJ/mol/nm of the given positions; seconds per step, NaN without steps."""

    energy: float
    forces: np.ndarray
    seconds: float


def available() -> bool:
    """Whether this environment holds LAMMPS and mpiexec."""
    return _MPIEXEC.exists() and importlib.util.find_spec("lammps") is not None


def run_lammps(
    table: PairTable,
    positions: np.ndarray,
    box: np.ndarray,
    types: np.ndarray,
    *,
    ranks: int = 1,
    steps: int = 0,
    warm_up: int = 50,
    mass: float = 39.948,
    temperature: float = 100.0,
    timestep: float = 0.004,
    skin: float = 0.102,
    points: int = 2000,
    commands: list[str] | None = None,
) -> LammpsResult:
    """Evaluate positions [N, 3] nm in an orthorhombic box [3] nm and, with steps > 0, time molecular dynamics.

    Args:
        types: index of each particle's type in the table.
        ranks: MPI processes.
        steps, warm_up: timed steps, and steps before them, of NVT at `temperature` (K) with `timestep` (ps).
        skin: of the neighbour list, nm; 0.3 sigma of argon, LAMMPS' usual value for a Lennard-Jones fluid.
        points: rows of the exported table.
        commands: pair_style and pair_coeff, in units real; {table} in them stands for the path of the exported table,
            {potential} for that of the potential file. Without them the exported table.

    Raises:
        RuntimeError: LAMMPS is missing or failed; its message is included.
    """
    if not available():
        raise RuntimeError(LACKS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "potential.table"
        file.write_text(lammps_table(table, file.name, points))
        table.save(folder / "potential.json")
        chosen = commands or lammps_commands(table, "{table}", points)
        chosen = [line.format(table=file, potential=folder / "potential.json") for line in chosen]
        np.savez(
            folder / "input.npz",
            positions=np.asarray(positions) * _ANGSTROM,
            box=np.asarray(box) * _ANGSTROM,
            types=np.asarray(types, dtype=int) + 1,
            kinds=len(table.types),
            commands=chosen,
            timestep=timestep * 1000,
            skin=skin * _ANGSTROM,
            mass=mass,
            temperature=temperature,
            warm_up=warm_up,
            steps=steps,
        )
        libraries = os.pathsep.join([f"{sys.prefix}/lib", os.environ.get("LD_LIBRARY_PATH", "")]).rstrip(os.pathsep)
        mpiexec = [_MPIEXEC, "-n", str(ranks), sys.executable]
        done = subprocess.run(
            [*mpiexec, Path(__file__).parent / "peers/lammps_table.py", folder / "input.npz", folder / "output.npz"],
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "LD_LIBRARY_PATH": libraries,
                "LAMMPS_PLUGIN_PATH": plugin_folder(),
                "OMP_NUM_THREADS": "1",
            },
        )
        if done.returncode != 0:
            raise RuntimeError(f"LAMMPS failed: {(done.stdout + done.stderr).strip()}")
        result = np.load(folder / "output.npz")
        if result["ranks"] != ranks:
            raise RuntimeError(f"LAMMPS ran on {result['ranks']} MPI ranks instead of {ranks}")
        return LammpsResult(
            energy=float(result["energy"]) * _KJ,
            forces=result["forces"] * (_KJ * _ANGSTROM),
            seconds=float(result["seconds"]),
        )
