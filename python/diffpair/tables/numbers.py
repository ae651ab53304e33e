"""Numbers that a caller gives as an array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError, shortened


def real_array(given: object, what: str) -> NDArray[np.float64]:
    """A copy in double precision, of any shape. Raises DiffPairError that begins with ``what`` for anything but real
    numbers: numpy would leave imaginary parts out."""
    try:
        array = np.asarray(given)
        if array.dtype.kind == "c":
            raise TypeError
        return np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise DiffPairError(f"{what} must be real numbers, not {shortened(given)}") from None
