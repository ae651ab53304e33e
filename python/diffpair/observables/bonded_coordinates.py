"""Bond lengths, angles and dihedral angles of frames. NumPy alone.

Angles come from atan2, which is exact at 0 and pi too. The sign of a dihedral is that of OpenMM's `dihedral()` and of
the IUPAC convention: positive where, looking along j-k, the bond k-l is turned clockwise from j-i.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffpair.errors import DiffPairError
from diffpair.systems.nearest_image import nearest_image

Array = NDArray[np.float64]


def bonded_coordinates(positions: ArrayLike, boxes: ArrayLike, paths: ArrayLike) -> Array:
    """Lengths of bonds, angles or dihedral angles of every frame.

    Every step along a path is taken to the nearest image, so molecules may be split across the box.

    Args:
        positions: nm, [F, N, 3].
        boxes: box vectors as rows in OpenMM's reduced form, nm, [F, 3, 3] or [3, 3].
        paths: indices of particles along bonds, [n, 2 | 3 | 4]; their number tells what is measured.

    Returns:
        Lengths in nm, angles from 0 to pi or dihedrals above -pi up to pi in rad, [F, n].

    Raises:
        DiffPairError: paths of another number of particles.

    Examples:
        >>> from diffpair.observables.bonded_coordinates import bonded_coordinates
        >>> x = [[[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.1, 2.9, 0.0]]]  # a box of 3 nm
        >>> bonded_coordinates(x, 3 * np.eye(3), [(0, 1), (1, 2)]).round(6)
        array([[0.1, 0.1]])
        >>> np.degrees(bonded_coordinates(x, 3 * np.eye(3), [(0, 1, 2)])).round(6)
        array([[90.]])
    """
    x, chains = np.asarray(positions, dtype=np.float64), np.asarray(paths, dtype=np.int64)
    if chains.ndim != 2 or chains.shape[1] not in (2, 3, 4):
        raise DiffPairError(f"paths of bonded particles must be [n, 2], [n, 3] or [n, 4], not {list(chains.shape)}")
    cells = np.asarray(boxes, dtype=np.float64)
    steps = nearest_image(x[:, chains[:, 1:]] - x[:, chains[:, :-1]], cells)  # [F, n, 1 | 2 | 3, 3]
    if chains.shape[1] == 2:
        return np.asarray(np.linalg.norm(steps[:, :, 0], axis=-1))
    if chains.shape[1] == 3:
        a, b = -steps[:, :, 0], steps[:, :, 1]
        return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1))
    a, b, c = (steps[:, :, k] for k in range(3))
    left, right = np.cross(a, b), np.cross(b, c)
    sine = np.linalg.norm(b, axis=-1) * np.sum(a * right, axis=-1)
    angle = np.arctan2(sine, np.sum(left * right, axis=-1))
    return np.where(angle == -np.pi, np.pi, angle)
