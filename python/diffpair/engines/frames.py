"""What sampling returns and what roll back keeps: plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError


class Exploded(DiffPairError):
    """A simulation ran away: NaN, a kinetic temperature far too high, or particles flying off.

    steps, seconds: MD steps of the task that it ended, and the time that they took.
    """

    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Frames:
    """Frames of one state.

    positions: [F, N, 3] nm, not wrapped. velocities: [F, N, 3] nm/ps, half-step, as OpenMM's State gives them.
    boxes: [F, 3, 3] nm. potential_energy: [F] kJ/mol. For a target pressure beside further forces: centres [F, N, 3]
    nm, those of the molecule that each particle belongs to, and further_virial [F] bar, what the System's own forces
    add to the pressure; without such a target [F, 0, 3] and zeros. pressure: [F] bar, where the program tells it; NaN
    where it does not.
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
        """Some of the frames, copied, by index."""
        chosen = np.asarray(indices, dtype=np.intp)
        return Frames(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def of_atoms(self, atoms: NDArray[np.int64]) -> Frames:
        """With some of the atoms only, by index; the energy stays that of all."""
        centres = self.centres[:, atoms] if self.centres.shape[1] else self.centres
        return replace(self, positions=self.positions[:, atoms], velocities=self.velocities[:, atoms], centres=centres)

    @classmethod
    def joined(cls, parts: Sequence[Frames]) -> Frames:
        """One part after another; one or more parts."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


@dataclass(frozen=True)
class Snapshot:
    """Everything that a Langevin simulation needs to go on: positions [N, 3] nm, velocities [N, 3] nm/ps, box [3, 3]
    nm.

    The thermostat's random stream is not part of it: a simulation that is rolled back takes another path from there.
    """

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    box: NDArray[np.float64]
    steps_done: int
