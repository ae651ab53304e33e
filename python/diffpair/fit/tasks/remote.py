"""What other processes are asked to do. They keep the states that they have run last alive."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from diffpair.engines import Exploded
from diffpair.engines.pieces import Bench, Found, Piece, Plan
from diffpair.fit.tasks.station import Station
from diffpair.fit.tasks.task import Outcome, Packed, Recipe, Task

# States that a worker keeps: an OpenMM Context of a thousand particles takes some MB and 20 ms to make again. More of
# them, and a fit of hundreds of states would fill the memory of a node.
KEPT = 16
T = TypeVar("T")
Worker = TypeVar("Worker")
_here = threading.local()  # a Context is for one thread at a time, and Dask's workers have several


def perform(packed: Packed[Recipe], task: Task) -> Outcome | Exploded:
    """Do a task of a recipe. Raises DiffPairError, or what OpenMM or LAMMPS raises where they do not work here."""
    try:
        return _at_work(packed, Station).perform(task)
    except Exploded as error:
        return error


def produce(packed: Packed[Plan], piece: Piece) -> Found | Exploded:
    """Do a piece of a production run. Raises as `perform`."""
    try:
        return _at_work(packed, Bench).perform(piece)
    except Exploded as error:
        return error


def ready() -> None:
    """Nothing: to have a worker import what it will need."""


def _at_work(packed: Packed[T], make: Callable[[T], Worker]) -> Worker:
    """The recipe or plan at work in this thread."""
    if not hasattr(_here, "stations"):
        _here.stations = OrderedDict()
    stations: OrderedDict[str, Any] = _here.stations
    if packed.key not in stations:
        while len(stations) >= KEPT:
            stations.popitem(last=False)
        stations[packed.key] = make(packed.opened())
    stations.move_to_end(packed.key)
    found: Worker = stations[packed.key]
    return found
