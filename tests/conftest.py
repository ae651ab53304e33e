"""What all rooms of tests share."""

from __future__ import annotations

import os
from pathlib import Path

# Under ThreadSanitizer (`make sanitize`) there are two, so that all that is parallel runs so. Set before NumPy is
# there, whose BLAS looks at it when it is loaded, and for the programs that tests start.
THREADS = os.environ.get("DIFFPAIR_TEST_THREADS", "1")
os.environ["OPENMM_CPU_THREADS"] = os.environ["OMP_NUM_THREADS"] = THREADS

import openmm  # noqa: E402
import pytest  # noqa: E402

# Rooms in which simulations decide, so that a bound of three standard errors fails once in some hundred tests. On the
# CPU platform OpenMM adds forces in the order in which its threads end: with one thread a run is the same each time on
# one kind of processor, with two it is another sample. A second failure, of another sample, is none of chance. The
# tests of OpenMM's own stochastic integrators are repeated for the same reason.
CHANCE = ("audit", "docs", "engines", "examples", "fit", "gradients", "lammps", "observables", "plugin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One more try where a bound was missed there; a crash or an error of another kind stands."""
    again = pytest.mark.flaky(reruns=1, only_rerun=["AssertionError"])
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in CHANCE:
            item.add_marker(again)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """One thread of OpenMM, and two in a second try."""
    threads = THREADS if getattr(item, "execution_count", 1) == 1 else "2"
    openmm.Platform.getPlatformByName("CPU").setPropertyDefaultValue("Threads", threads)
