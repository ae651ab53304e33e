"""Cases of the learning benchmark that run in LAMMPS: the same fit with both engines, and one of 100,000 atoms."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import torch
from bars import Bar, at_least, at_most, figure, missing
from lammps_peer import LACKS, available
from learning_cases import FAST
from learning_fits import UNIT, Document, Fitted, Run, failed
from learning_states import paper_state

from diffpair import DiffPairError

LARGE = 100_000  # atoms
# Its g has the noise of 50 times as many atoms: few steps are enough.
FEW = {"timestep": "5 fs", "steps": 200, "equilibration": 200, "every": 20, "melt": 2000}
MAE, LARGE_MAE, SLOWER = 0.005, 0.01, 1.3  # mean |g - target|, and of few steps of many atoms; times OpenMM's time


def lammps(run: Run) -> list[Bar]:
    """LJ (0.845, 1.0) in OpenMM and in LAMMPS on as many processes as OpenMM has threads, and 100,000 atoms on two."""
    case = "LJ (0.845, 1.0) in LAMMPS"
    if not available():
        return [missing(case, MAE, UNIT, LACKS)]
    ranks = torch.get_num_threads()
    here = {"engine": "lammps", "command": command(ranks)}
    section, target = run.section(paper_state(0.845, 1.0))
    try:
        openmm = run.fit("LJ (0.845, 1.0) in OpenMM", [(section, target)], sampling=FAST)
        found = run.fit(case, [(section, target)], sampling={**FAST, **here})
    except DiffPairError as error:
        return [failed(case, MAE, error)]
    seconds, md = ([fit.summary[key] for fit in (found, openmm)] for key in ("wall_seconds", "md_seconds"))
    bars = [
        figure(f"LJ (0.845, 1.0) in OpenMM {openmm.words()}", openmm.mae()[0], UNIT),
        at_most(f"{case} {found.words()}", found.mae()[0], MAE, UNIT),
        at_least(
            f"{case}: distances at which U is that of OpenMM within both bands", together(found, openmm), 0.95, ""
        ),
        at_most(f"{case}: time of the fit, times OpenMM's", seconds[0] / seconds[1], SLOWER, "x"),
        figure(f"{case}: time of the dynamics, times OpenMM's", md[0] / md[1], "x"),
    ]
    return [*bars, large(run, section)]


def large(run: Run, section: Document) -> Bar:
    """100,000 atoms on two processes; a quick run has the few of its target."""
    lattice = section["system"]["lattice"]
    if not run.quick:
        lattice = {**lattice, "n": LARGE}
    case = f"LJ (0.845, 1.0), {lattice['n']} atoms in LAMMPS on 2 processes"
    state = {**section, "system": {"lattice": lattice}}
    sampling = {**FEW, "engine": "lammps", "command": command(2)}
    return run.bar(case, [(state, None)], LARGE_MAE, sampling=sampling, production={"max_steps": 1000})


def command(ranks: int) -> str:
    """Of the LAMMPS that is in this environment."""
    folder = Path(sys.prefix) / "bin"
    words = [folder / "mpiexec", "-n", ranks] if ranks > 1 else []
    return shlex.join(map(str, [*words, folder / "lmp"]))


def together(one: Fitted, other: Fitted) -> float:
    """Share of the distances from 0.95 to 2.4 sigma at which the two potentials' bands of two standard deviations
    overlap."""
    r = np.linspace(0.95, 2.4, 200)
    apart = np.abs(one.table.energy(r) - other.table.energy(r))
    return float(np.mean(apart <= 2 * (one.sigma(r) + other.sigma(r))))
