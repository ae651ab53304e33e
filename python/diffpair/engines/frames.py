"""What sampling returns and what roll back keeps: plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError


class Exploded(DiffPairError):
    """A simulation ran away: NaN, a kinetic temperature far too high, or particles flying off.

    Attributes:
        steps: molecular dynamics steps of the task that it ended.
        seconds: wall time that they took.
    """

    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Frames:
    """Frames of one state.

    Args:
        positions: nm, not wrapped, [F, N, 3].
        velocities: nm/ps, half-step, as OpenMM's State gives them, [F, N, 3].
        boxes: nm, [F, 3, 3].
        potential_energy: kJ/mol, [F].
        centres: of the molecule that each particle belongs to, nm, [F, N, 3], for a target pressure beside further
            forces; else [F, 0, 3].
        further_virial: what the System's own forces add to the pressure, bar, [F], for such a target; else zeros.
        pressure: bar, [F], where the program tells it; else NaN.
    """

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    boxes: NDArray[np.float64]
    potential_energy: NDArray[np.float64]
    centres: NDArray[np.float64] = None  # type: ignore[assignment]  # an array from __post_init__ on
    further_virial: NDArray[np.float64] = None  # type: ignore[assignment]
    pressure: NDArray[np.float64] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.centres is None:
            object.__setattr__(self, "centres", np.empty((len(self.positions), 0, 3)))
        if self.further_virial is None:
            object.__setattr__(self, "further_virial", np.zeros(len(self.positions)))
        if self.pressure is None:
            object.__setattr__(self, "pressure", np.full(len(self.positions), np.nan))

    def __len__(self) -> int:
        return len(self.positions)

    def at(self, indices: Sequence[int] | NDArray[np.intp]) -> Frames:
        """Some of the frames, copied.

        Args:
            indices: of the frames.

        Returns:
            These frames.
        """
        chosen = np.asarray(indices, dtype=np.intp)
        return Frames(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def of_atoms(self, atoms: NDArray[np.int64]) -> Frames:
        """Some of the atoms; the energy stays that of all.

        Args:
            atoms: their indices, [n].

        Returns:
            Frames of n atoms.
        """
        centres = self.centres[:, atoms] if self.centres.shape[1] else self.centres
        return replace(self, positions=self.positions[:, atoms], velocities=self.velocities[:, atoms], centres=centres)

    @classmethod
    def joined(cls, parts: Sequence[Frames]) -> Frames:
        """One part after another.

        Args:
            parts: one or more.

        Returns:
            All of their frames.
        """
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


@dataclass(frozen=True)
class Snapshot:
    """Everything that a Langevin simulation needs to go on.

    The thermostat's random stream is not part of it: a simulation that is rolled back takes another path from there.

    Args:
        positions: nm, [N, 3].
        velocities: nm/ps, [N, 3].
        box: nm, [3, 3].
        steps_done: number of steps that led there.
    """

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    box: NDArray[np.float64]
    steps_done: int
