"""Cutoff and time step that a fit may begin with, from contact distances and masses."""

from __future__ import annotations

import math

from diffpair.constants import BOLTZMANN

CONTACTS = 2.5  # contact distances: where the potential of a simple liquid is cut in most work
SHORTEST = 0.9  # nm; contacts of small molecules are short, their attraction is not
_CUTOFF_STEP = 0.05  # nm

# ps per sqrt(m sigma^2 / kT), which a particle takes to cross its own size: for argon 5 to 10 fs
_COLLISION = 0.005
_TIMESTEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)  # fs


def wanted_cutoff(contact: float) -> float:
    """nm, for the longest contact distance, nm."""
    wanted = max(SHORTEST, CONTACTS * contact)
    return math.ceil(wanted / _CUTOFF_STEP - 1e-9) * _CUTOFF_STEP


def within(length: float, limit: float) -> float:
    """A length, or less where it is beyond the limit, in hundredths of a nm; nm."""
    return round(min(length, math.floor(limit / 0.01) * 0.01), 4)


def longest_timestep(contact: float, mass: float, temperature: float) -> float:
    """fs, for the shortest contact distance in nm and the lightest particle in amu; temperature: K."""
    return 1000 * _COLLISION * contact * math.sqrt(mass / (BOLTZMANN * temperature))


def timestep_below(longest: float) -> int:
    """A round time step of that at most, 1 at least; fs."""
    return max((step for step in _TIMESTEPS if step <= longest), default=_TIMESTEPS[0])
