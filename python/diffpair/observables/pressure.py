"""Pressure by the molecular virial, from the energy's change when box and molecules are scaled together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import openmm
from numpy.typing import ArrayLike, NDArray

from diffpair.constants import BOLTZMANN
from diffpair.observables.molecules import Molecules
from diffpair.systems.barostat import without_barostat
from diffpair.systems.platforms import copy_parameters

BAR = 16.605390671738466
"""bar in 1 kJ/mol/nm^3."""


@dataclass(frozen=True)
class Pressure:
    """A mean pressure.

    Attributes:
        value: bar.
        error: its standard error, bar.
    """

    value: float
    error: float


class PressureProbe:
    """Instantaneous pressures of frames, as `MonteCarloBarostat.computeCurrentPressure` defines them::

        P = N_moving kT / V - dU/dV

    dU/dV is taken by central differences: box and centres of the `Molecules` are scaled by 1 +- `strain`, molecules
    stay rigid. That holds for any forces that depend on the box only through the minimum image, for constraints too,
    and is exact on average at the temperature given; OpenMM takes the velocities that the molecules have instead. For a
    pure pair system N_moving = N and -dU/dV = sum_pairs r F(r) / 3V.

    Args:
        system: periodic; a copy of it without barostat gets a Context of its own, so a running simulation is left
            alone.
        temperature: of the ideal-gas term, K.
        platform: where to compute.
        properties: of the platform.
        strain: the scaling; differences of single-precision energies want it not too small.
        beside: a Context whose global parameters are taken over, as they are at every frame; by default the System's
            own.

    Attributes:
        molecules: those of the System.
    """

    def __init__(
        self,
        system: openmm.System,
        temperature: float,
        platform: openmm.Platform,
        properties: dict[str, str] | None = None,
        strain: float = 2e-4,
        beside: openmm.Context | None = None,
    ) -> None:
        alone = without_barostat(system)
        self._context = openmm.Context(alone, openmm.VerletIntegrator(0.001), platform, properties or {})
        self._temperature = temperature
        self._strain, self._beside = strain, beside
        self.molecules = Molecules(self._context)

    def begin(self) -> None:
        """Forget neighbour lists of earlier frames: they decide on the last bits of what follows."""
        self._context.reinitialize()

    def pressures(self, positions: ArrayLike, boxes: ArrayLike) -> NDArray[np.float64]:
        """Pressure of each frame.

        Args:
            positions: of whole molecules, nm, [F, N, 3].
            boxes: nm, [F, 3, 3].

        Returns:
            bar, [F].
        """
        ideal = BAR * self.molecules.num_moving * BOLTZMANN * self._temperature
        cells = np.asarray(boxes)
        virials = [self.virial(x, box) for x, box in zip(np.asarray(positions), cells, strict=True)]
        return np.asarray(ideal / np.abs(np.linalg.det(cells)) + virials)

    def virial(self, x: NDArray[np.float64], box: NDArray[np.float64]) -> float:
        """-dU/dV of one frame: what forces add to the pressure.

        Args:
            x: positions of whole molecules, nm, [N, 3].
            box: nm, [3, 3].

        Returns:
            bar.
        """
        if self._beside is not None:
            copy_parameters(self._beside.getParameters(), self._context)
        moves = self._strain * self.molecules.centres(x)
        volume = abs(np.linalg.det(box))
        change = 0.0
        for sign in (1, -1):
            self._context.setPeriodicBoxVectors(*(box * (1 + sign * self._strain)))
            self._context.setPositions(x + sign * moves)
            change += sign * self._context.getState(energy=True).getPotentialEnergy()._value
        slope = change / (volume * ((1 + self._strain) ** 3 - (1 - self._strain) ** 3))
        return float(-BAR * slope)
