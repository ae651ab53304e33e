"""Which OpenMM platform runs a simulation."""

from __future__ import annotations

import openmm

from diffpair.errors import DiffPairError


def pick_platform(name: str | None) -> tuple[openmm.Platform, dict[str, str]]:
    """The platform asked for, or CPU, or where that is missing Reference; with the properties that make runs repeat."""
    known = [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]
    chosen = name or ("CPU" if "CPU" in known else "Reference")
    if chosen not in known:
        raise DiffPairError(f"OpenMM has no platform {chosen!r} here, only {', '.join(known)}")
    platform = openmm.Platform.getPlatformByName(chosen)
    repeatable = {"DeterministicForces": "true"} if "DeterministicForces" in platform.getPropertyNames() else {}
    return platform, repeatable
