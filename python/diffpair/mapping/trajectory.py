"""The beads' positions in all frames, as a DCD file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class BeadsTrajectory:
    """A DCD file that grows frame by frame, by MDTraj. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        from mdtraj.formats import DCDTrajectoryFile

        self._file = DCDTrajectoryFile(str(path), "w")

    def __enter__(self) -> BeadsTrajectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, positions: Array, boxes: Array) -> None:
        """Further frames [F, N, 3] in boxes [F, 3, 3], nm; the file has Angstrom."""
        from mdtraj.utils import box_vectors_to_lengths_and_angles

        lengths_and_angles = np.array([box_vectors_to_lengths_and_angles(*box) for box in boxes], dtype=np.float32)
        self._file.write(
            np.asarray(10 * positions, dtype=np.float32),
            cell_lengths=10 * lengths_and_angles[:, :3], cell_angles=lengths_and_angles[:, 3:],
        )  # fmt: skip
