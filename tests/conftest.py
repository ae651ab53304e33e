"""What all rooms of tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

# Rooms in which simulations decide. OpenMM's CPU platform adds forces in the order in which its threads end, so every
# run is another sample, and a bound of three standard errors fails once in some hundred tests. A second failure in a
# row is none of chance. OpenMM's own tests of stochastic integrators are repeated for the same reason.
CHANCE = ("audit", "engines", "examples", "fit", "gradients", "lammps", "observables", "plugin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One more try where a bound was missed there; a crash or an error of another kind stands."""
    again = pytest.mark.flaky(reruns=1, only_rerun=["AssertionError"])
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in CHANCE:
            item.add_marker(again)
