"""What a fit reaches: every experiment of the DiffSim paper, learned and compared with its target.

    python benchmarks/learning.py [--json FILE] [--cases recover,states,...] [--measured FOLDER] [--seed 1] [--quick]

Targets are simulated with OpenMM's own forces and kept in --targets. Every fit is one of a config by `run_fit`; figures
are those of its summary.json: mean |g - target| of a production run with the final table.
"""

from __future__ import annotations

from pathlib import Path

import command
import learning_cases as cases
import learning_cases_degenerate as degenerate_cases
import learning_cases_dynamics as dynamics_cases
import learning_cases_joint as joint_cases
import learning_cases_lammps as lammps_cases
import learning_cases_more as more_cases
import learning_cases_votca as votca_cases
import openmm
import torch
from bars import Bar
from learning_fits import Run

CASES = {
    "recover": cases.recover,
    "dynamics": dynamics_cases.dynamics,
    "diffsim": dynamics_cases.diffsim,
    "segments": dynamics_cases.segments,
    "adam": dynamics_cases.adam,
    "states": cases.states,
    "families": cases.families,
    "joint": joint_cases.joint,
    "binary": joint_cases.binary,
    "water": joint_cases.water,
    "argon": joint_cases.argon,
    "pressure": more_cases.pressure,
    "entropic": more_cases.entropic,
    "errors": more_cases.errors,
    "degenerate": degenerate_cases.degenerate,
    "scale": more_cases.scale,
    "baselines": more_cases.baselines,
    "lammps": lammps_cases.lammps,
    "votca": votca_cases.votca,
}
TARGETS = Path(__file__).resolve().parents[1] / "build/learning-targets"


def main(arguments: list[str] | None = None) -> None:
    parser = command.make_parser(__doc__.splitlines()[0], CASES)
    parser.add_argument("--targets", type=Path, default=TARGETS, metavar="FOLDER", help="keeps simulated targets")
    parser.add_argument("--measured", type=Path, metavar="FOLDER", help="of measured RDFs, for water and argon")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the folders of all fits there")
    parser.add_argument("--seed", type=int, default=1, help="of the fits")
    args = command.parse(parser, arguments, CASES)
    torch.set_num_threads(args.threads)
    openmm.Platform.getPlatformByName("CPU").setPropertyDefaultValue("Threads", str(args.threads))
    bars: list[Bar] = []
    with command.screen() as (console, progress):
        run = Run(args.quick, args.seed, args.targets, args.keep, args.measured, console, progress)
        for name in args.cases:
            bars += CASES[name](run)
        run.report()
    command.report(bars, args, console)


if __name__ == "__main__":
    main()
