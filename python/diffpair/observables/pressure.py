"""Pressure by the molecular virial, from the energy's change when box and molecules are scaled together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import openmm
from numpy.typing import ArrayLike, NDArray

from diffpair.states.state import BOLTZMANN

BAR = 16.605390671738466  # bar in 1 kJ/mol/nm^3


@dataclass(frozen=True)
class Pressure:
    """Mean pressure and its standard error, bar."""

    value: float
    error: float


class PressureProbe:
    """Instantaneous pressures of frames,

        P = N_moving kT / V - dU/dV,

    with dU/dV by central differences: box and centres of the molecules are scaled by 1 +- `strain`, molecules stay
    rigid. That holds for any forces that depend on the box only through the minimum image, for constraints too, and is
    exact on average at the temperature given. For a pure pair system N_moving = N and -dU/dV = sum_pairs r F(r) / 3V.

    N_moving counts the molecules that can move as a whole. Particles without mass do not move (OpenMM's rule), have no
    momentum, and go with the box as its walls do: a molecule that holds one is scaled about its frozen particles and
    is not counted. Virtual sites have no part in this: they follow those that make them.

    Parameters
    ----------
    system: periodic; a copy of it gets a Context of its own, so a running simulation is left alone.
    temperature: K, of the ideal-gas term. platform, properties: where to compute.
    strain: the scaling; differences of single-precision energies want it not too small.
    """

    def __init__(
        self,
        system: openmm.System,
        temperature: float,
        platform: openmm.Platform,
        properties: dict[str, str] | None = None,
        strain: float = 2e-4,
    ) -> None:
        self._context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform, properties or {})
        self._temperature = temperature
        self._strain = strain
        molecules = self._context.getMolecules()
        self._molecule_of = np.empty(system.getNumParticles(), dtype=np.int64)
        for index, members in enumerate(molecules):
            self._molecule_of[list(members)] = index
        particles = range(system.getNumParticles())
        real = np.array([not system.isVirtualSite(i) for i in particles])
        frozen = real & np.array([system.getParticleMass(i)._value == 0 for i in particles])
        held = np.bincount(self._molecule_of, frozen) > 0  # molecules
        counted = np.where(held[self._molecule_of], frozen, real)
        self._weights = counted / np.bincount(self._molecule_of, counted)[self._molecule_of]
        self.num_moving = len(held) - int(held.sum())

    def pressures(self, positions: ArrayLike, boxes: ArrayLike) -> NDArray[np.float64]:
        """Pressure of each frame in bar, [F], of positions [F, N, 3] with whole molecules and boxes [F, 3, 3], nm."""
        return np.array(
            [self._pressure(x, box) for x, box in zip(np.asarray(positions), np.asarray(boxes), strict=True)]
        )

    def _pressure(self, x: NDArray[np.float64], box: NDArray[np.float64]) -> float:
        centres = np.stack([np.bincount(self._molecule_of, self._weights * x[:, k]) for k in range(3)], axis=1)
        volume = abs(np.linalg.det(box))
        change = 0.0
        for sign in (1, -1):
            strain = sign * self._strain
            self._context.setPeriodicBoxVectors(*(box * (1 + strain)))
            self._context.setPositions(x + strain * centres[self._molecule_of])
            change += sign * self._context.getState(energy=True).getPotentialEnergy()._value
        slope = change / (volume * ((1 + self._strain) ** 3 - (1 - self._strain) ** 3))
        return BAR * (self.num_moving * BOLTZMANN * self._temperature / volume - slope)
