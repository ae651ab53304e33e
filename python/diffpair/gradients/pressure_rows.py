"""The pressure as a row of a fit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffpair.gradients.rows import Array, StaticRows
from diffpair.observables.pair_pressure import pair_pressure, virial_sums
from diffpair.observables.pressure import BAR
from diffpair.potentials.base import TableGrid
from diffpair.segments import Topology
from diffpair.states import State

ERROR_FLOOR = 0.01  # of P / (rho kT), where the target has no error of its own


class PressureRows(StaticRows):
    """P / (rho kT) of a state with a pressure as a target: one row, none without such a target.

    P = rho kT + W / 3V, rho of the particles that have mass, with the virial W = sum_pairs r F(r) of the table alone,
    which is linear in its coefficients.
    There is no correction for a tail: U is 0 beyond the cutoff, in production too.

    Attributes:
        target, error, floor: see Rows. ideal: rho kT, the unit, in bar.
    """

    def __init__(self, state: State, topology: Topology) -> None:
        self.topology, self.temperature = topology, state.temperature
        self.masses = torch.from_numpy(np.asarray(state.masses, dtype=np.float64))
        self.ideal = BAR * state.density / state.beta
        targets = state.pressures
        self.target = np.array([t.value for t in targets]) / self.ideal
        self.error = np.array([t.error or 0.0 for t in targets]) / self.ideal
        self.floor = np.array([ERROR_FLOOR if not t.error else 0.0 for t in targets])

    def values(self, x: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """See StaticRows."""
        pressure = pair_pressure(
            x,
            boxes,
            self.topology,
            coefficients,
            r_min=grid.r_min,
            cutoff=grid.cutoff,
            temperature=self.temperature,
            masses=self.masses,
        )
        return pressure[:, None].expand(-1, len(self)) / self.ideal

    def explicit(self, x: Tensor, boxes: Tensor, grid: TableGrid) -> Tensor:
        """See StaticRows."""
        sums = virial_sums(x, boxes, self.topology, r_min=grid.r_min, cutoff=grid.cutoff, knots=grid.knots)
        volume = torch.linalg.det(boxes).abs()
        return (-BAR / self.ideal * sums.flatten(1) / (3 * volume[:, None]))[:, None].expand(-1, len(self), -1)

    def sigma(self, noise: Array) -> Array:
        """See Rows."""
        return np.asarray(np.sqrt(noise**2 + self.error**2 + self.floor**2))
