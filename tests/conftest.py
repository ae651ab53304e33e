"""What all rooms of tests share."""

from __future__ import annotations

import os
from pathlib import Path

# Under ThreadSanitizer (`make sanitize`) there are two, so that all that is parallel runs so. Set before NumPy is
# there, whose BLAS looks at it when it is loaded, and for the programs that tests start.
THREADS = os.environ.get("DIFFPAIR_TEST_THREADS", "1")
os.environ["OPENMM_CPU_THREADS"] = os.environ["OMP_NUM_THREADS"] = THREADS

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

import openmm  # noqa: E402
import pytest  # noqa: E402

# Rooms in which simulations decide, so that a bound of three standard errors fails once in some hundred tests. On the
# CPU platform OpenMM adds forces in the order in which its threads end: with one thread a run is the same each time on
# one kind of processor, with two it is another sample. A second failure, of another sample, is none of chance. The
# tests of OpenMM's own stochastic integrators are repeated for the same reason.
CHANCE = ("audit", "docs", "engines", "examples", "fit", "gradients", "lammps", "observables", "plugin")


# Tests in whose names one of these words is start processes that work side by side, or wait for each other.
SIDE_BY_SIDE = ("benchmarks", "cluster", "executors", "lammps", "parallel")


def cores_of(nodeid: str) -> set[int]:
    """Those that a test may use: one of its process's own, as far as the tests' one thread suffices.

    OpenMM's CPU platform hands every part of a step to a thread and waits for it. On a virtual machine a thread of
    another core takes so long to wake up that small systems need two to four times as long (benchmarks/cores.py).
    """
    process, count = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if THREADS != "1" or count > len(CORES) or any(word in nodeid for word in SIDE_BY_SIDE):
        return set(CORES)
    return {CORES[int(process.removeprefix("gw")) % len(CORES)]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One more try where a bound was missed there; a crash or an error of another kind stands."""
    again = pytest.mark.flaky(reruns=1, only_rerun=["AssertionError"])
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in CHANCE:
            item.add_marker(again)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """One thread of OpenMM on one core, and two threads in a second try."""
    if CORES:
        os.sched_setaffinity(0, cores_of(item.nodeid))
    threads = THREADS if getattr(item, "execution_count", 1) == 1 else "2"
    openmm.Platform.getPlatformByName("CPU").setPropertyDefaultValue("Threads", threads)
