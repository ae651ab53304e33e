"""What other processes are asked to do. They keep the states that they have run last alive."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from diffpair.engines import Exploded, ProductionResult, production
from diffpair.fit.tasks.station import Station
from diffpair.fit.tasks.task import Outcome, Packed, Task

# States that a worker keeps: an OpenMM Context of a thousand particles takes some MB and 20 ms to make again. More of
# them, and a fit of hundreds of states would fill the memory of a node.
KEPT = 16
_here = threading.local()  # a Context is for one thread at a time, and Dask's workers have several


def perform(packed: Packed, task: Task) -> Outcome | Exploded:
    """Do a task of a recipe. Raises DiffPairError, or what OpenMM or LAMMPS raises where they do not work here."""
    try:
        return _station(packed).perform(task)
    except Exploded as error:
        return error


def produce(arguments: dict[str, Any]) -> ProductionResult | Exploded:
    """`engines.production` with these arguments."""
    try:
        return production(**arguments)
    except Exploded as error:
        return error


def ready() -> None:
    """Nothing: to have a worker import what it will need."""


def _station(packed: Packed) -> Station:
    """The recipe at work in this thread."""
    if not hasattr(_here, "stations"):
        _here.stations = OrderedDict()
    stations: OrderedDict[str, Station] = _here.stations
    if packed.key not in stations:
        while len(stations) >= KEPT:
            stations.popitem(last=False)
        stations[packed.key] = Station(packed.opened())
    stations.move_to_end(packed.key)
    return stations[packed.key]
