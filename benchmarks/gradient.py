"""How fast value and gradient of an RDF loss through molecular dynamics are, and how much memory they take.

    python benchmarks/gradient.py [--json FILE] [--cases speed,network,...] [--integrator nose-hoover] [--quick]

The Lennard-Jones fluid in reduced units, rho 0.845, T 1, dt 0.005, cutoff 2.5; 50 steps, RDF of 100 bins over
0.75 .. 2.4 every 5 steps; float32; gradient with respect to 100 knots. Contenders run in turns, ratios are taken within
a round. `make peers` adds JAX MD.
"""

from __future__ import annotations

import command
import gradient_cases as cases
import torch
from bars import Bar
from gradient_bonded import bonded
from gradient_gpu import gpu
from rdf_loss import DEFAULT_INTEGRATOR, INTEGRATORS

CASES = {
    "speed": cases.speed,
    "network": cases.network,
    "scaling": cases.scaling,
    "memory": cases.memory,
    "long": cases.long,
    "replicas": cases.replicas,
    "bonded": bonded,
    "sampling": cases.sampling,
    "gpu": gpu,
}


def main(arguments: list[str] | None = None) -> None:
    parser = command.make_parser(__doc__.splitlines()[0], CASES)
    parser.add_argument("--integrator", choices=INTEGRATORS, default=DEFAULT_INTEGRATOR)
    args = command.parse(parser, arguments, CASES)
    torch.set_num_threads(args.threads)
    bars: list[Bar] = []
    with command.screen() as (console, progress):
        run = cases.Run(args.integrator, args.threads, args.rounds, args.quick, console, progress)
        for name in args.cases:
            bars += CASES[name](run)
    command.report(bars, args, console)


if __name__ == "__main__":
    main()
