"""What the threads of OpenMM's CPU platform cost a small system, and what one core for one thread spares.

    python benchmarks/cores.py [--json FILE] [--atoms 108,256,864,2048] [--rounds 7] [--quick]

The Lennard-Jones fluid of the production benchmark with a PairTableForce, in turns: on two threads, on one thread that
may run on any core, and on one thread and one core. The platform hands the parts of a step to threads and waits for
them; how long a thread takes to wake up on another core decides. Linux only.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from bars import Bar, figure
from command import make_parser, report, screen
from fluid import make_context, make_force, melted
from interleaved import Contender, measure, timed

CELLS = {108: (3, 3, 3), 256: (4, 4, 4), 864: (6, 6, 6), 2048: (8, 8, 8)}
CORES = sorted(os.sched_getaffinity(0))


def simulated(atoms: int, threads: int, cores: list[int]) -> Callable[[int], None]:
    """Steps of the fluid; its threads, and the one that waits for them, stay on these cores."""
    fluid = melted(CELLS[atoms])
    os.sched_setaffinity(0, cores)
    context = make_context(fluid, make_force("PairTableForce", atoms), threads=threads)

    def step(steps: int) -> None:
        os.sched_setaffinity(0, cores)
        context.getIntegrator().step(steps)

    return step


def main(arguments: list[str] | None = None) -> None:
    parser = make_parser(__doc__.splitlines()[0], ["cores"])
    parser.add_argument("--atoms", default=",".join(map(str, CELLS)), help="some of %(default)s")
    args = parser.parse_args(arguments)
    unknown = {*args.atoms.split(",")} - {*map(str, CELLS)}
    if unknown:
        parser.error(f"--atoms: {', '.join(sorted(unknown))}; there are {', '.join(map(str, CELLS))}")
    sizes = [108] if args.quick else [int(atoms) for atoms in args.atoms.split(",")]
    bars: list[Bar] = []
    with screen() as (console, progress):
        for atoms in sizes:
            kinds = {"2 threads": (2, CORES[:2]), "1 thread": (1, CORES[:2]), "1 thread, 1 core": (1, CORES[:1])}
            contenders = [Contender(name, timed(simulated(atoms, *kind))) for name, kind in kinds.items()]
            seconds = 0.05 if args.quick else 1.0
            rounds = measure(contenders, 2 if args.quick else args.rounds, seconds, progress, f"{atoms} atoms")
            for name in kinds:
                bars.append(figure(f"a step of {atoms} atoms, {name}", 1e6 * rounds.median(name), "us"))
            for name in list(kinds)[:2]:
                ratio = rounds.ratio(name, "1 thread, 1 core")
                bars.append(figure(f"{atoms} atoms, {name} over 1 thread, 1 core", ratio, "x"))
        report(bars, args, console)


if __name__ == "__main__":
    main()
