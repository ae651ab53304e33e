"""The nearest image of particles in a periodic box: the one definition of it in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Numbers = TypeVar("Numbers", "NDArray[np.float64]", "Tensor")


def nearest_image(vectors: Numbers, boxes: Numbers) -> Numbers:
    """Separations without whole box vectors; of NumPy's arrays and torch's tensors alike.

    Exact for images shorter than half of the box's width, as OpenMM counts in its reduced form: the box vectors are
    taken off one after the other, the third first.

    Args:
        vectors: separations, nm, [..., 3]; with a box for each frame [F, ..., 3].
        boxes: rows are box vectors in OpenMM's reduced form, nm: [3, 3], or [F, 3, 3]. A box of zeros is no box.

    Returns:
        The separations of the nearest images, nm, of the shape of `vectors`.
    """
    if boxes.ndim == 3:
        boxes = boxes.reshape((len(boxes), *(1,) * (vectors.ndim - 2), 3, 3))
    for axis in (2, 1, 0):
        edge = boxes[..., axis, axis : axis + 1]
        whole = (vectors[..., axis : axis + 1] / (edge + (edge == 0))).round()
        vectors = vectors - whole * boxes[..., axis, :]
    return vectors
