"""Seconds a frame, and memory in MB at the peak, of production's histogram of a fluid:
python histogram_probe.py FLUID.npz R_MAX THREADS. Linux only."""

from __future__ import annotations

import sys
import time

import numpy as np
from memory_probe import memory

from diffpair.observables.pair_histogram import count_types

FRAMES = 4

if __name__ == "__main__":
    given = np.load(sys.argv[1])
    frames = np.repeat(given["positions"][None], FRAMES, axis=0)
    types, edges = np.zeros(len(given["positions"]), dtype=np.int64), np.linspace(0, float(sys.argv[2]), 201)
    count_types(frames[:, :64], np.diag(given["box"]), types[:64], None, [(0, 0)], edges, threads=1)
    before, seconds = memory("VmRSS"), []
    for _ in range(5):
        start = time.perf_counter()
        count_types(frames, np.diag(given["box"]), types, None, [(0, 0)], edges, threads=int(sys.argv[3]))
        seconds.append((time.perf_counter() - start) / FRAMES)
    print(np.median(seconds), memory("VmHWM") - before)
