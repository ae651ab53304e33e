"""Distributions of bond lengths, angles and dihedral angles as rows of a fit, and dU/dc of bonded terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.bonded import BondedTerm
from diffpair.errors import DiffPairError
from diffpair.gradients.rows import FrameTensors, StaticRows
from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.potentials.base import TableGrid
from diffpair.states import State
from diffpair.systems.bonded_paths import Kind
from diffpair.targets.distribution import bin_fractions

Array = NDArray[np.float64]
# Of p over its maximum, per bin: as well as some hundred thousand counts at the peak know it. Bins that a short
# sampling never meets show no noise at all.
FLOOR = 0.002


class BondedRows(StaticRows):
    """p(x) / max p of all target distributions of a state, one after another: numbers from 0 to 1.

    Args:
        state: with the atoms that have a type only.

    Attributes:
        target, error, floor: see Rows. slices: which rows belong to which target. scales: max p of each target, 1/nm or
        1/rad.
    """

    def __init__(self, state: State) -> None:
        targets, paths = state.distributions, state.paths if state.distributions else {}
        self._targets = targets
        self._paths = [paths[target.kind] for target in targets]
        self.scales = [float(target.p.max()) for target in targets]
        ends = np.cumsum([0, *(len(target.p) for target in targets)])
        self.slices = [slice(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        none = [np.zeros(0)]
        self.target: Array = np.concatenate(none + [t.p / s for t, s in zip(targets, self.scales, strict=True)])
        errors = [np.zeros(len(t.p)) if t.error is None else t.error for t in targets]
        self.error: Array = np.concatenate(none + [e / s for e, s in zip(errors, self.scales, strict=True)])
        self.floor: Array = np.full(len(self.target), FLOOR)

    def values(self, x: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """Refused: counts in bins have no derivative (DiffPairError)."""
        raise DiffPairError(
            "distributions of bonds, angles and dihedrals need gradient: fluctuation; they have no derivative along a "
            "segment"
        )

    def of_frames(self, frames: FrameTensors, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """See StaticRows."""
        x, boxes = frames.x.numpy(), frames.boxes.numpy()
        columns = []
        for target, paths, scale in zip(self._targets, self._paths, self.scales, strict=True):
            found = bin_fractions(bonded_coordinates(x, boxes, paths), target.edges)
            columns.append(found / (target.width * scale))
        return torch.from_numpy(np.concatenate(columns, axis=1))

    def l1(self, residual: Array) -> list[float]:
        """integral |p - target| of each target where the rows are off by the residual [rows]; what lies beyond the bins
        of a target is left out."""
        widths = [target.width * scale for target, scale in zip(self._targets, self.scales, strict=True)]
        return [float(np.abs(residual[w]).sum()) * width for w, width in zip(self.slices, widths, strict=True)]

    def sigma(self, noise: Array) -> Array:
        """See Rows."""
        return np.asarray(np.sqrt(noise**2 + self.error**2 + self.floor**2))


class BondedSums:
    """dU/dc of bonded terms: sums of phi_k over all bonds, angles and dihedrals of a state.

    Args:
        state: with the atoms that have a type only. terms: those that are learned, in the order of the columns.
    """

    def __init__(self, state: State, terms: Sequence[BondedTerm]) -> None:
        self._terms = tuple(terms)
        self._paths: dict[Kind, NDArray[np.int64]] = state.paths if terms else {}

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(len(term.values) for term in self._terms)

    def of_frames(self, frames: FrameTensors) -> Array:
        """[M, width]; 0 where a term does not occur."""
        x, boxes = frames.x.numpy(), frames.boxes.numpy()
        columns = [np.zeros((len(x), 0))]
        for term in self._terms:
            paths = self._paths.get(term.kind)
            columns.append(
                np.zeros((len(x), len(term.values)))
                if paths is None
                else term.sums(bonded_coordinates(x, boxes, paths))
            )
        return np.concatenate(columns, axis=1)
