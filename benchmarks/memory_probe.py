"""Memory in MB that a Context of a fluid takes at its peak: python memory_probe.py FLUID.npz POTENTIAL THREADS STEPS.

POTENTIAL is a potential file, or "none" for no force: the memory of the force is the difference. Linux only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from fluid import Fluid, force_of_table, make_context

from diffpair import PairTable


def memory(key: str) -> float:
    """VmRSS, the present memory of this process, or VmHWM, its largest, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[key].split()[0]) / 1024


if __name__ == "__main__":
    given = np.load(sys.argv[1])
    state = Fluid(given["positions"], given["box"])
    before = memory("VmRSS")
    force = None if sys.argv[2] == "none" else force_of_table(PairTable.load(sys.argv[2]), state.atoms)
    context = make_context(state, force, threads=int(sys.argv[3]))
    context.getIntegrator().step(int(sys.argv[4]))
    print(memory("VmHWM") - before)
