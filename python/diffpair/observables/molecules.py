"""Molecules of a System: what a change of the volume moves as a whole."""

from __future__ import annotations

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.systems.barostat import without_barostat

Array = NDArray[np.float64]


class Molecules:
    """The molecules as OpenMM finds them: particles that bonds, constraints or virtual sites hold together.

    The centre of a molecule is the mean of its particles' positions, virtual sites included, as OpenMM's barostats take
    it. Particles without mass do not move (OpenMM's rule), have no momentum, and go with the box as its walls do: a
    molecule that holds one has its centre in its frozen particles and is not counted.

    Args:
        context: of the System.

    Attributes:
        of: number of the molecule that each particle belongs to, [N].
        num_moving: number of molecules that can move as a whole.
    """

    def __init__(self, context: openmm.Context) -> None:
        system = context.getSystem()
        count = system.getNumParticles()
        self.of = np.empty(count, dtype=np.int64)
        for index, members in enumerate(context.getMolecules()):
            self.of[list(members)] = index
        frozen = np.array([system.getParticleMass(i)._value == 0 and not system.isVirtualSite(i) for i in range(count)])
        held = np.bincount(self.of, frozen) > 0
        counted = np.where(held[self.of], frozen, True)
        self._weights = counted / np.bincount(self.of, counted)[self.of]
        self.num_moving = len(held) - int(held.sum())

    @classmethod
    def of_system(cls, system: openmm.System) -> Molecules:
        """Of a System that has no Context yet.

        Args:
            system: any System.

        Returns:
            Its molecules.
        """
        reference = openmm.Platform.getPlatformByName("Reference")
        return cls(openmm.Context(without_barostat(system), openmm.VerletIntegrator(0.001), reference))

    def centres(self, x: Array) -> Array:
        """Centre of the molecule that each particle belongs to.

        Args:
            x: positions of whole molecules, nm, [N, 3].

        Returns:
            nm, [N, 3].
        """
        means = np.stack([np.bincount(self.of, self._weights * x[:, k]) for k in range(3)], axis=1)
        return np.asarray(means[self.of])
