"""What a fit goes back to when something goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffpair.engines import Snapshot

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Tried:
    """Parameters [P] that an accepted iteration has sampled, and its mean |g - target|."""

    theta: Array
    mae: float
    number: int


@dataclass
class Best:
    """The best potential so far, and the simulations at its end."""

    theta: Array
    mae: float
    number: int
    snapshots: list[Snapshot] = field(default_factory=list)
