"""Which OpenMM platform runs a simulation."""

from __future__ import annotations

from collections.abc import Mapping

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


# What a Context's owner has chosen for it, and not what makes runs repeat or how many threads there are.
_CHOSEN = ("Precision", "DeviceIndex", "OpenCLPlatformIndex")


def platform_like(context: openmm.Context) -> tuple[openmm.Platform, dict[str, str]]:
    """The platform of a Context, with its precision and device, for a Context of one's own beside it."""
    platform, properties = pick_platform(context.getPlatform().getName())
    own = platform.getPropertyNames()
    return platform, properties | {name: platform.getPropertyValue(context, name) for name in _CHOSEN if name in own}


def copy_parameters(parameters: Mapping[str, float], to: openmm.Context) -> None:
    """Give a Context those of these global parameters that it knows."""
    for name, value in to.getParameters().items():
        if name in parameters and parameters[name] != value:
            to.setParameter(name, parameters[name])
