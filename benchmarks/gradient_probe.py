"""Memory, time and processors' time of values and gradients in a process of their own; prints a JSON list.

    python gradient_probe.py FLUID.npz INTEGRATOR THREADS REPLICAS CHECKPOINTS STEPS [STEPS ...]

CHECKPOINTS is the number of steps between two
of them, 0 to keep the whole path, or "default". One object per STEPS: {"megabytes", "forward", "backward",
"processors"}: the largest memory so far beyond torch and the imports, seconds, and processor time over time. With
OMP_WAIT_POLICY=passive a thread that waits uses no processor. Linux only.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import torch
from fluid import Fluid
from memory_probe import memory
from rdf_loss import RdfLoss, spline

from diffpair.segments import Checkpoints

if __name__ == "__main__":
    path, integrator, threads, replicas, checkpoints, *lengths = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.ones(3, requires_grad=True).sum().backward()  # torch's own threads
    given = np.load(path)
    before = memory("VmRSS")
    results = []
    for steps in lengths:
        fluid, plan = Fluid(given["positions"], given["box"]), None
        if checkpoints != "default":
            plan = Checkpoints(max(1, int(checkpoints)), int(steps) if int(checkpoints) else 0)
        loss = RdfLoss(fluid, integrator, int(replicas), int(steps), checkpoints=plan)
        potential, used = spline(), time.process_time()
        timing = loss.value_and_gradient(potential)
        results.append(
            {
                "megabytes": memory("VmHWM") - before,
                "forward": timing.forward,
                "backward": timing.backward,
                "processors": (time.process_time() - used) / timing.total,
            }
        )
    print(json.dumps(results))
