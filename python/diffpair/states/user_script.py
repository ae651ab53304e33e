"""A user's own LAMMPS input script as a fit sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.lammps.script import InputScript
from diffpair.lammps.units import Units


@dataclass(frozen=True)
class UserScript:
    """What runs a state, and what it has made of LAMMPS.

    script: it. command: that starts LAMMPS. names: type of the potential, or None, of each of LAMMPS' types. factors:
    of pairs one, two and three bonds apart for the learned pair; None: those of `special_bonds`. units: its own.
    timestep: ps. kinds: LAMMPS' type of every atom, from 1. velocities: [N, 3] nm/ps. degrees: of freedom. pairs_act:
    whether it has other forces between molecules. pressure: what its barostat holds, bar; None at constant volume.
    """

    script: InputScript
    command: str
    names: tuple[str | None, ...]
    factors: tuple[float, ...] | None
    units: Units
    timestep: float
    kinds: NDArray[np.int64]
    velocities: NDArray[np.float64]
    degrees: int
    pairs_act: bool
    pressure: float | None

    @property
    def named(self) -> list[str]:
        """Of each of LAMMPS' types a name, or NULL."""
        return ["NULL" if name is None else name for name in self.names]

    @property
    def text(self) -> str:
        """All of its commands, those of files that it includes too."""
        return "\n".join(line.text for line in self.script.lines)
