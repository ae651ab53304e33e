"""How a lattice becomes a liquid: hot with a short time step, then cooled."""

from __future__ import annotations

from typing import NamedTuple

FRICTION = 10.0  # 1/ps: heats and cools within few steps
MINIMISED = 10.0, 50  # kJ/mol/nm and iterations: takes overlapping cores apart
_HOT, _COOLING = 2.5, 5  # times the state's temperature; stages of cooling


class Stage(NamedTuple):
    """temperature, timestep: in units of the state's."""

    steps: int
    temperature: float
    timestep: float


def stages(steps: int) -> list[Stage]:
    """What precedes the last third of `steps`, which runs as sampling does.

    A first third runs hot with half the time step, since collisions are harder there; the second third cools.
    """
    hot, each = steps // 3, steps // 3 // _COOLING
    cooling = [Stage(each, _HOT - (_HOT - 1) * (stage + 1) / _COOLING, 1.0) for stage in range(_COOLING)]
    return [Stage(hot, _HOT, 0.5), *cooling]
