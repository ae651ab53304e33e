"""What a state's targets ask for, as one vector of numbers per frame."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.errors import DiffPairError
from diffpair.observables.smooth_rdf import SmoothRdf
from diffpair.segments import Topology
from diffpair.states import State
from diffpair.tables import pair_row

Array = NDArray[np.float64]
CHUNK = 64  # frames per operator call


class TargetRows:
    """The smooth g(r) of all targets of a state, one after another: the rows of residual and Jacobian.

    Bins that the target's data cannot be compared at (see RdfTarget.smoothed) are left out.

    Attributes:
        target: the smoothed targets, [rows]. error: their standard errors, 0 where none is given, [rows].
        slices: which rows belong to which target. radii: bin centres in nm, [rows].
    """

    def __init__(self, state: State) -> None:
        if not state.targets:
            raise DiffPairError(f"state {state.name!r} has no target")
        self.state = state
        num_types = len(state.type_names)
        self.topology = Topology.of(state.types, num_types, state.exclusions)
        self.inverse_mass = torch.from_numpy(
            np.divide(1.0, state.masses, out=np.zeros(state.num_atoms), where=np.asarray(state.masses) > 0)
        )
        self._rdfs: dict[tuple[float, float, int], SmoothRdf] = {}
        self._parts: list[tuple[tuple[float, float, int], int]] = []  # per target: its bins, its pair's row
        self.slices: list[slice] = []
        radii, values, errors = [], [], []
        for target in state.targets:
            smooth, centres, width = target.smoothed(), target.r, target.bin_width
            usable = np.flatnonzero(np.isfinite(smooth) & (centres >= 2.5 * width))
            if not len(usable):
                raise DiffPairError(f"{target.label}: has no bin that can be compared with a smooth g(r)")
            keep = slice(int(usable[0]), int(usable[-1]) + 1)
            if not np.isfinite(smooth[keep]).all():
                raise DiffPairError(f"{target.label}: g cannot be smoothed in the middle of its range")
            bins = (float(centres[keep.start]), width, keep.stop - keep.start)
            self._rdfs.setdefault(bins, SmoothRdf(*bins, self.topology))
            self._parts.append((bins, pair_row(*state.pair_types(target.pair), num_types)))
            start = self.slices[-1].stop if self.slices else 0
            self.slices.append(slice(start, start + bins[2]))
            radii.append(centres[keep])
            values.append(smooth[keep])
            errors.append(np.zeros(bins[2]) if target.error is None else target.error[keep])
        self.radii: Array = np.concatenate(radii)
        self.target: Array = np.concatenate(values)
        self.error: Array = np.concatenate(errors)

    def __len__(self) -> int:
        return len(self.target)

    @property
    def pair_rows(self) -> list[int]:
        """Per target, the row of its pair of types in a table."""
        return [row for _, row in self._parts]

    def g(self, x: Tensor, boxes: Tensor) -> Tensor:
        """Smooth g per frame, [M, rows] float64, differentiable in positions x [M, N, 3]; boxes [M, 3, 3]."""
        by_bins = {bins: rdf.g(x, boxes) for bins, rdf in self._rdfs.items()}
        return torch.cat([by_bins[bins][:, row] for bins, row in self._parts], dim=1)

    def of_frames(self, positions: Array, boxes: Array) -> Array:
        """Smooth g per frame, [F, rows], without gradient."""
        with torch.no_grad():
            parts = [self.g(*frame_tensors(positions, boxes, i)) for i in range(0, len(positions), CHUNK)]
        return torch.cat(parts).numpy()


def frame_tensors(positions: Array, boxes: Array, start: int) -> tuple[Tensor, Tensor]:
    """One chunk of frames as the operators want them."""
    chunk = slice(start, start + CHUNK)
    return (
        torch.from_numpy(np.ascontiguousarray(positions[chunk], dtype=np.float64)),
        torch.from_numpy(np.ascontiguousarray(boxes[chunk], dtype=np.float64)),
    )
