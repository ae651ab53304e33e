"""Radial distribution functions as rows of a fit."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.errors import DiffPairError
from diffpair.gradients.rows import StaticRows
from diffpair.observables.smooth_rdf import SmoothRdf
from diffpair.potentials.base import TableGrid
from diffpair.segments import SumsGrid, Topology
from diffpair.states import State
from diffpair.tables import pair_row

Array = NDArray[np.float64]
ERROR_FLOOR = 0.003  # of g per bin, in the weight of a bin: what is below it does not matter
FLOOR = 0.001  # of g per bin, in a covariance of all bins: empty bins show no noise
SLACK = 1 + 1e-6  # a target that reaches to exactly half the box fits
SMOOTHING = np.ones(5) / 5  # of the noisy variance of a variance, over neighbouring bins


class RdfRows(StaticRows):
    """The smooth g(r) of all RDF targets of a state, one after another.

    Bins that the target's data cannot be compared at (see RdfTarget.smoothed) are left out. Bins that come to lie
    beyond half of a box, which a barostat moves, stay rows but have no say: see `cut`.

    Attributes:
        target, error, floor: see Rows; the targets are smoothed. slices: which rows belong to which target. pair_rows:
        per target, the row of its pair of types in a table. scale_errors: see RdfTarget, per target. radii: bin centres
        in nm, [rows]. half_box: what `cut` has seen, nm; infinite before.
    """

    def __init__(self, state: State, topology: Topology) -> None:
        num_types = len(state.type_names)
        self.topology, self._name, self.half_box = topology, state.name, np.inf
        self._rdfs: dict[tuple[float, float, int], SmoothRdf] = {}
        self._parts: list[tuple[tuple[float, float, int], int]] = []  # per target: its bins, its pair's row
        self.slices: list[slice] = []
        radii, values, errors = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
        for target in state.rdfs:
            smooth, centres, width = target.smoothed(), target.r, target.bin_width
            usable = np.flatnonzero(np.isfinite(smooth) & (centres >= 2.5 * width))
            if not len(usable):
                raise DiffPairError(f"{target.label}: has no bin that can be compared with a smooth g(r)")
            keep = slice(int(usable[0]), int(usable[-1]) + 1)
            if not np.isfinite(smooth[keep]).all():
                raise DiffPairError(f"{target.label}: g cannot be smoothed in the middle of its range")
            bins = (float(centres[keep.start]), width, keep.stop - keep.start)
            self._rdfs.setdefault(bins, SmoothRdf(*bins, topology))
            self._parts.append((bins, pair_row(*state.pair_types(target.pair), num_types)))
            start = self.slices[-1].stop if self.slices else 0
            self.slices.append(slice(start, start + bins[2]))
            radii.append(centres[keep])
            values.append(smooth[keep])
            errors.append(np.zeros(bins[2]) if target.error is None else target.error[keep])
        self.radii: Array = np.concatenate(radii)
        self.target: Array = np.concatenate(values)
        self.error: Array = np.concatenate(errors)
        self.floor: Array = np.full(len(self.error), FLOOR)
        self.pair_rows = [row for _, row in self._parts]
        self.scale_errors = [target.scale_error for target in state.rdfs]

    def cut(self, half_box: float) -> None:
        """From now on leave out what lies beyond half of a box, nm, kernel included.

        Those rows take the target's value in every frame: no residual, no noise, no covariance. Raises DiffPairError if
        nothing is left of a target.
        """
        if half_box >= self.half_box:
            return
        self.half_box = half_box
        for (first, width, count), rdf in self._rdfs.items():
            if rdf.reach <= half_box * SLACK:
                continue
            kept = count
            while kept and SmoothRdf(first, width, kept, self.topology).reach > half_box * SLACK:
                kept -= 1
            if not kept:
                raise DiffPairError(
                    f"state {self._name!r}: half of the box that its barostat reached, {half_box:.4g} nm, is shorter "
                    f"than all distances of a target: use more particles"
                )
            self._rdfs[first, width, count] = SmoothRdf(first, width, kept, self.topology)

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Which rows have not been cut, [rows]."""
        result = np.ones(len(self), dtype=bool)
        for (bins, _), where in zip(self._parts, self.slices, strict=True):
            result[where.start + len(self._rdfs[bins].centres) : where.stop] = False
        return result

    @property
    def note(self) -> str:
        """What was cut, for the user; empty where nothing was."""
        if self.compared.all():
            return ""
        return (
            f"state {self._name}: half of the smallest box that its barostat reached is {self.half_box:.4g} nm: g(r) "
            f"beyond was not compared"
        )

    def g(self, x: Tensor, boxes: Tensor) -> Tensor:
        """Smooth g per frame, [M, rows] float64, differentiable in positions x [M, N, 3]; boxes [M, 3, 3]."""
        return self._in_order([rdf.g(x, boxes) for rdf in self._rdfs.values()])

    @property
    def grids(self) -> list[SumsGrid]:
        """Of the spline sums that g is made of."""
        return [rdf.grid for rdf in self._rdfs.values()]

    def of_sums(self, sums: list[Tensor], boxes: Tensor) -> Tensor:
        """Smooth g per frame, [M, rows], from its spline sums on `grids`; boxes [M, 3, 3]."""
        return self._in_order([rdf.of_sums(found, boxes) for rdf, found in zip(self._rdfs.values(), sums, strict=True)])

    def _in_order(self, found: list[Tensor]) -> Tensor:
        by_bins, columns = dict(zip(self._rdfs, found, strict=True)), []
        for (bins, row), where in zip(self._parts, self.slices, strict=True):
            known = by_bins[bins][:, row]
            left_out = torch.from_numpy(self.target[where][known.shape[1] :])
            columns += [known, left_out.expand(len(known), -1)]
        return torch.cat(columns, dim=1)

    def values(self, x: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """See StaticRows; g depends on the table through the ensemble alone."""
        return self.g(x, boxes)

    def sigma(self, noise: Array) -> Array:
        """See Rows. Neighbouring bins are about equally noisy, which steadies the estimate."""
        variance = noise**2
        for where in self.slices:
            variance[where] = np.convolve(variance[where], SMOOTHING, mode="same")
        return np.asarray(np.sqrt(variance + self.error**2 + ERROR_FLOOR**2))
