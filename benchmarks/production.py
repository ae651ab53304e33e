"""How fast a learned potential runs in OpenMM, against Lennard-Jones and against what one would do without DiffPair.

    python benchmarks/production.py [--json FILE] [--cases speed,lammps,...] [--atoms 2048,16384,70304] [--quick]

All contenders of a case live in one process and run in turns; a ratio is the median over the rounds of the ratio within
a round. Bars on learned potentials take the slower one of PairTableForce and TorchPairForce. `make peers` adds LAMMPS.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import production_cases as cases
from bars import Bar, show, unjudged, write_json
from rich.console import Console
from rich.progress import Progress

CASES = {
    "speed": cases.speed,
    "lammps": cases.lammps,
    "types": cases.types,
    "scaling": cases.scaling,
    "memory": cases.memory,
    "update": cases.update,
    "profile": cases.profile,
    "gpu": cases.gpu,
}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the bars as a JSON list")
    parser.add_argument("--cases", default=",".join(CASES), help="some of %(default)s")
    parser.add_argument("--atoms", default="", help="sizes for the case speed: some of 2048,16384,70304")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU platform, and MPI ranks of LAMMPS")
    parser.add_argument("--rounds", type=int, default=7, help="how often every contender has its turn")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn")
    parser.add_argument("--quick", action="store_true", help="a smoke test on small systems: no bar is judged")
    args = parser.parse_args(arguments)
    args.cases = [name for name in args.cases.split(",") if name]
    for name in args.cases:
        if name not in CASES:
            parser.error(f"unknown case {name}; there are {', '.join(CASES)}")
    sizes = [int(number) for number in args.atoms.split(",") if number]
    for number in sizes:
        if number not in cases.SPEED_BARS:
            parser.error(f"--atoms {number}: there are {', '.join(map(str, cases.SPEED_BARS))}")
    args.atoms = sizes or list(cases.SPEED_BARS)
    if args.quick:
        args.rounds, args.seconds = 2, 0.02
    return args


def main(arguments: list[str] | None = None) -> None:
    args = parse(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    bars: list[Bar] = []
    with Progress(console=console, transient=True, disable=not sys.stdout.isatty()) as progress:
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
    if args.quick:
        bars = unjudged(bars, "quick run")
    elif args.threads != 2:
        bars = unjudged(bars, f"{args.threads} threads instead of 2")
    show(bars, console)
    if args.json:
        write_json(bars, args.json)


if __name__ == "__main__":
    main()
