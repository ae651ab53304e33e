"""The density as a row of a fit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffpair.gradients.rows import Array, StaticRows
from diffpair.potentials.base import TableGrid
from diffpair.states import State


class DensityRows(StaticRows):
    """rho / rho_target of a state whose barostat moves the volume: a row per target, none without one.

    A function of the box alone, so it answers to the table through the isobaric ensemble: d<rho>/dc = -beta cov(rho,
    dU/dc).

    A density that comes without an error is known to `own_error`.

    Attributes:
        target, error, floor: see Rows. units: rho_target, one per row, in the target's own unit.
    """

    def __init__(self, state: State) -> None:
        targets = state.densities
        self.units = [target.value for target in targets]
        self.target = np.ones(len(targets))
        self.error = np.array([target.own_error / target.value for target in targets])
        self.floor = np.zeros(len(targets))
        amounts = [state.amount(target.unit) / target.value for target in targets]
        self._volumes = torch.tensor(amounts, dtype=torch.float64)  # nm^3 of a frame that has the target's density

    def values(self, x: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """See StaticRows."""
        return self._volumes / torch.linalg.det(boxes).abs()[:, None]

    def sigma(self, noise: Array) -> Array:
        """See Rows."""
        return np.asarray(np.hypot(noise, self.error))
