"""Memory of a fit's sampling in a process of its own; prints a JSON object.

    python sampling_probe.py ATOMS EVERY THREADS STEPS

A Lennard-Jones fluid (rho* 0.845, T* 1, dt* 0.005, cutoff 2.5; 80 knots, g(r) of 100 bins up to 2.5) in an iteration:
STEPS steps with a frame every EVERY, the sums of all frames, the Jacobian of their fluctuations with its noise, what is
remembered of it, and the look at the phase. It begins on the lattice, so that its energy drifts and a second sampling
of the same length follows, as in a fit. {"megabytes", "frames", "steps", "seconds"}: the largest memory beyond the
imported package, OpenMM's simulation included; frames and steps of both samplings; wall time. Linux only.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import torch
from memory_probe import memory

from diffpair.fit.iterate.learner import EquilibriumLearner
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.tasks.task import Recipe
from diffpair.gradients import Fluctuation
from diffpair.potentials import LennardJones, TableGrid, to_table
from diffpair.settings.sampling import Sampling
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.8, 2.5, 80)

if __name__ == "__main__":
    atoms, every, threads, steps = map(int, sys.argv[1:])
    torch.set_num_threads(threads)
    torch.ones(3, requires_grad=True).sum().backward()  # torch's own threads
    before, begin = memory("VmRSS"), time.perf_counter()
    r = np.linspace(0.75, 2.5, 101)
    target = RdfTarget(("A", "A"), 0.5 * (r[1:] + r[:-1]), np.ones(100))
    state = build_lattice("fluid", atoms, 0.845, {"A": 1.0}, 1.0, 120.27, targets=[target])
    table = to_table(LennardJones(("A",), GRID.cutoff), GRID)
    sampling = Sampling(timestep="5 fs", equilibration=0, steps=steps, every=every, platform="CPU")
    live = LiveState(Recipe(state, GRID, table, sampling))
    live.perform(live.tasks(table, 1))
    learned = EquilibriumLearner(Fluctuation()).learn(live, live.sampled, "jacobian")
    live.remember(learned.observation, learned.sums)
    live.warnings()
    done = live.steps_done
    print(
        json.dumps(
            {
                "megabytes": memory("VmHWM") - before,
                "frames": done // every,
                "steps": done,
                "seconds": time.perf_counter() - begin,
            }
        )
    )
