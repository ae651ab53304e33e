"""The fastest platform that runs on a GPU here and that DiffPair's forces run on."""

from __future__ import annotations

import openmm
from fluid import make_context, make_force, melted


def find_gpu() -> tuple[str, dict[str, str]] | str:
    """Name of the platform and properties for its Contexts, or what is missing."""
    names = {openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())}
    properties = {"Precision": "mixed"}
    one_particle = openmm.System()
    one_particle.addParticle(1.0)
    reasons = []
    for name in ("CUDA", "HIP", "OpenCL"):
        if name not in names:
            continue
        platform = openmm.Platform.getPlatform(name)
        try:
            context = openmm.Context(one_particle, openmm.VerletIntegrator(0.001), platform, properties)
        except openmm.OpenMMException:
            continue  # no such device
        if name == "OpenCL" and "Portable" in platform.getPropertyValue(context, "OpenCLPlatformName"):
            continue  # a CPU behind OpenCL
        state = melted((5, 5, 5), steps=100)
        try:
            make_context(state, make_force("PairTableForce", state.atoms), platform=name, properties=properties)
        except openmm.OpenMMException as error:
            reasons.append(f"{name}: {error}")
            continue
        return name, properties
    return f"DiffPair does not run on this GPU: {'; '.join(reasons)}" if reasons else "needs a GPU"
