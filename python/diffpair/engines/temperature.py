"""Does a state run at its temperature?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Part of the temperature that a sampling may be off. Time steps that fit the forces are off by a few per cent, as the
# velocities of a leapfrog scheme are; where they do not, energy flows in faster than a thermostat takes it out.
ALLOWED = 0.1
SIGMAS, INDEPENDENT = 5.0, 20.0  # of the mean's noise; frames from one independent one to the next, at least


def wrong_temperature(name: str, found: float, wanted: float, degrees: int, frames: int, timestep: float) -> str:
    """A sentence where a sampling is too hot or too cold; empty where it is not.

    Args:
        found: mean kinetic temperature of so many frames, K. wanted: of the state, K. degrees: of freedom. timestep:
            ps.
    """
    noise = np.sqrt(2 / max(1, degrees) / max(1.0, frames / INDEPENDENT))
    if not np.isfinite(found) or abs(found / wanted - 1) < ALLOWED + SIGMAS * noise:
        return ""
    return (
        f"state {name} runs at {found:.0f} K instead of {wanted:.0f} K: its time step of {1000 * timestep:g} fs is too "
        f"long for its forces, so that what it samples is wrong; give a shorter one, or more friction"
    )


@dataclass(frozen=True)
class Kinetics:
    """The kinetic temperatures of frames.

    total: their sum, K. frames: how many. bath: the thermostat's, K. degrees: of freedom.
    """

    total: float
    frames: int
    bath: float
    degrees: int

    @classmethod
    def joined(cls, parts: Sequence[Kinetics]) -> Kinetics:
        """Of all frames of one or more parts."""
        first = parts[0]
        return cls(sum(part.total for part in parts), sum(part.frames for part in parts), first.bath, first.degrees)

    def fault(self, name: str, timestep: float) -> str:
        """See `wrong_temperature`; name: of the state, timestep: ps."""
        mean = self.total / self.frames if self.frames else float("nan")
        return wrong_temperature(name, mean, self.bath, self.degrees, self.frames, timestep)
