"""Box vectors in OpenMM's reduced form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from openmm import unit
from openmm.app.internal.unitcell import reducePeriodicBoxVectors


def reduced(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vectors [3, 3] of the same lattice that OpenMM wants, rows in nm: each as short as it can be, from a lower
    triangular matrix."""
    if not np.any(box - np.diag(np.diag(box))):
        return box
    return np.array(reducePeriodicBoxVectors(box * unit.nanometer).value_in_unit(unit.nanometer))
