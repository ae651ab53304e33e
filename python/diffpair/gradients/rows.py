"""What every kind of target is to a fit: numbers to compare, and how they follow from frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from diffpair.potentials.base import TableGrid

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FrameTensors:
    """Some frames as the operators want them: x [M, N, 3], boxes [M, 3, 3], centres [M, N, 3] or [M, 0, 3],
    further_virial [M]; see Frames."""

    x: Tensor
    boxes: Tensor
    centres: Tensor
    further_virial: Tensor


class Rows(ABC):
    """All targets of one kind of a state, as rows of residual and Jacobian: numbers of order 1 without unit.

    Without unit, so that rows of different kinds add up in one loss.

    Attributes:
        target: what is wanted, [rows]. error: its standard error, 0 where none is given, [rows]. floor: noise that a
            fit always assumes besides, [rows].
    """

    target: Array
    error: Array
    floor: Array

    def __len__(self) -> int:
        return len(self.target)

    @abstractmethod
    def of_segment(self, x: Tensor, v: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """Rows of each replica of a segment, [R, rows] float64, differentiable in x, v and the coefficients.

        Args:
            x, v: frames of the segment, [R, F, N, 3] in nm and nm/ps. boxes: [R, 3, 3] in nm.
            coefficients: the table, [npairs, knots + 2] in kJ/mol, on `grid`.
        """

    @abstractmethod
    def sigma(self, noise: Array) -> Array:
        """Error that a row's residual is weighed by, [rows], when <A> has the standard errors `noise` [rows]."""


class StaticRows(Rows):
    """Rows that are functions of one frame: its positions, its box and, at most linearly, the table."""

    @abstractmethod
    def values(self, x: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """Rows per frame, [M, rows] float64, differentiable in x [M, N, 3] and the coefficients; boxes [M, 3, 3]."""

    def of_frames(self, frames: FrameTensors, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """`values` of sampled frames, which know more than positions and box; without gradient."""
        return self.values(frames.x, frames.boxes, coefficients, grid)

    def explicit(self, frames: FrameTensors, grid: TableGrid) -> Tensor | None:
        """dA/dc of each frame at fixed positions, [M, rows, npairs * (knots + 2)]; None where that is 0."""
        return None

    def of_segment(self, x: Tensor, v: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """The mean over the frames."""
        replicas, frames = x.shape[:2]
        every = self.values(x.flatten(0, 1), boxes.repeat_interleave(frames, 0), coefficients, grid)
        return every.unflatten(0, (replicas, frames)).mean(1)
