"""How fast a learned potential runs in OpenMM, against Lennard-Jones and against what one would do without DiffPair.

    python benchmarks/production.py [--json FILE] [--cases speed,lammps,...] [--atoms 2048,16384,70304] [--quick]

All contenders of a case live in one process and run in turns; a ratio is the median over the rounds of the ratio within
a round. Bars on learned potentials take the slower one of PairTableForce and TorchPairForce. The
rows of LAMMPS need the packages lammps and mpich.
"""

from __future__ import annotations

import argparse

import bonded_terms
import command
import own_simulation
import pair_style
import production_cases as cases
from bars import Bar

CASES = {
    "speed": cases.speed,
    "lammps": cases.lammps,
    "pair_style": pair_style.pair_style,
    "million": pair_style.million,
    "types": cases.types,
    "scaling": cases.scaling,
    "memory": cases.memory,
    "histogram": cases.histogram,
    "update": cases.update,
    "simulation": own_simulation.simulation,
    "bonded": bonded_terms.bonded,
    "profile": cases.profile,
    "gpu": cases.gpu,
}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = command.make_parser(__doc__.splitlines()[0], CASES)
    parser.add_argument("--atoms", default="", help="sizes for speed and pair_style: some of 2048,16384,70304")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn")
    args = command.parse(parser, arguments, CASES)
    sizes = [int(number) for number in args.atoms.split(",") if number]
    for number in sizes:
        if number not in cases.SPEED_BARS:
            parser.error(f"--atoms {number}: there are {', '.join(map(str, cases.SPEED_BARS))}")
    args.atoms = sizes or list(cases.SPEED_BARS)
    if args.quick:
        args.seconds = 0.02
    return args


def main(arguments: list[str] | None = None) -> None:
    args = parse(arguments)
    bars: list[Bar] = []
    with command.screen() as (console, progress):
        run = cases.Run(
            threads=args.threads,
            rounds=args.rounds,
            seconds=args.seconds,
            quick=args.quick,
            sizes=args.atoms,
            console=console,
            progress=progress,
        )
        for name in args.cases:
            bars += CASES[name](run)
    command.report(bars, args, console)


if __name__ == "__main__":
    main()
