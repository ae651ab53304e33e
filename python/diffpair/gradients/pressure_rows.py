"""The pressure as a row of a fit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffpair.errors import DiffPairError
from diffpair.gradients.rows import Array, FrameTensors, StaticRows
from diffpair.observables.pair_pressure import molecular_virial_sums, pair_pressure, virial_sums
from diffpair.observables.pressure import BAR
from diffpair.potentials.base import TableGrid
from diffpair.segments import Topology
from diffpair.states import State
from diffpair.states.ideal_pressure import FLOOR, ideal_pressure, moving_bodies


class PressureRows(StaticRows):
    """P / (rho kT) of a state with a pressure as a target: one row, none without such a target.

    Of single beads that feel the table alone, P = rho kT + W / 3V, rho of the particles that have mass, with the virial
    W = sum_pairs r F(r) of the table, which is linear in its coefficients. In any other System, the molecular pressure
    of `PressureProbe`: rho is the density of molecules, W the table's molecular virial, and the System's own forces add
    theirs, which the sampler has measured. There is no correction for a tail: U is 0 beyond the cutoff, in production
    too.

    Args:
        state: with all its particles. topology: of those that have a type.

    Attributes:
        target, error, floor: see Rows. ideal: rho kT, the unit, in bar. molecular: the pressure is that of molecules.
    """

    def __init__(self, state: State, topology: Topology) -> None:
        self.topology, self.temperature, self.molecular = topology, state.temperature, state.molecular_pressure
        self.masses = torch.from_numpy(np.asarray(state.masses, dtype=np.float64))
        self.name, targets = state.name, state.pressures
        if targets:
            moving = moving_bodies(state)
            self._kinetic = BAR * moving / state.beta  # times V
        self.ideal = ideal_pressure(state) if targets else 1.0
        self.target = np.array([t.value for t in targets]) / self.ideal
        self.error = np.array([t.error or 0.0 for t in targets]) / self.ideal
        self.floor = np.array([0.0 if t.error else FLOOR for t in targets])

    def check_segments(self) -> None:
        """Refuse a molecular pressure where positions, box and table are all that is known (DiffPairError)."""
        if self.molecular and len(self):
            raise DiffPairError(
                f"state {self.name!r} has a target pressure beside further forces or molecules, which the adjoint "
                f"gradient does not support; use gradient: {{method: fluctuation}}"
            )

    def values(self, x: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """See StaticRows. Raises DiffPairError as `check_segments` does."""
        self.check_segments()
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

    def of_frames(self, frames: FrameTensors, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """See StaticRows."""
        if not self.molecular:
            return self.values(frames.x, frames.boxes, coefficients, grid)
        volume = torch.linalg.det(frames.boxes).abs()
        own = (self._kinetic / volume + frames.further_virial) / self.ideal
        return own[:, None] + self.explicit(frames, grid) @ coefficients.flatten()

    def explicit(self, frames: FrameTensors, grid: TableGrid) -> Tensor:
        """See StaticRows."""
        x, boxes, settings = frames.x, frames.boxes, grid._asdict()
        sums = (
            molecular_virial_sums(x, boxes, frames.centres, self.topology, **settings)
            if self.molecular
            else virial_sums(x, boxes, self.topology, **settings)
        )
        volume = torch.linalg.det(boxes).abs()
        return (-BAR / self.ideal * sums.flatten(1) / (3 * volume[:, None]))[:, None].expand(-1, len(self), -1)

    def sigma(self, noise: Array) -> Array:
        """See Rows."""
        return np.asarray(np.sqrt(noise**2 + self.error**2 + self.floor**2))
