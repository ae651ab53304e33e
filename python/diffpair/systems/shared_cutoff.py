"""OpenMM's GPU platforms have one cutoff for all nonbonded forces of a force group."""

from __future__ import annotations

from typing import TypeAlias

import openmm

from diffpair.errors import DiffPairError

WithCutoff: TypeAlias = openmm.NonbondedForce | openmm.CustomNonbondedForce | openmm.GBSAOBCForce | openmm.CustomGBForce
ON_PROCESSORS = ("Reference", "CPU")  # platforms on which every force has a cutoff of its own


def sharing(system: openmm.System, group: int, platform: str) -> list[openmm.Force]:
    """Forces of a System whose cutoff a force of that group has to share on a platform; none on processors.

    Forces between chosen groups of particles go another way.
    """
    if platform in ON_PROCESSORS:
        return []
    return [
        force
        for force in system.getForces()
        if isinstance(force, WithCutoff) and force.getForceGroup() == group and force.getNonbondedMethod() != 0
        and not (isinstance(force, openmm.CustomNonbondedForce) and force.getNumInteractionGroups())
    ]  # fmt: skip


def shared_cutoff(name: str, system: openmm.System, group: int, platform: str, cutoff: float) -> float:
    """The cutoff distance, nm, that a learned force with a table of that cutoff, nm, has to have.

    Raises DiffPairError where the System's own is shorter. name: of the state.
    """
    found = cutoff
    for force in sharing(system, group, platform):
        found = force.getCutoffDistance()._value
        if found < cutoff:
            raise DiffPairError(
                f"state {name!r}: the potential's cutoff of {cutoff:g} nm is longer than that of the System's "
                f"{force.getName()} ({found:g} nm), and the platform {platform} has one for all nonbonded forces of a "
                f"group: give the potential a cutoff of {found:g} nm or less, call "
                f"{force.getName()}.setCutoffDistance({cutoff:g}), or use the platform CPU"
            )
    return float(found)
