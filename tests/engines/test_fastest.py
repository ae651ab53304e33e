"""The platform that a fit takes where it is told none."""

from __future__ import annotations

import openmm
import pytest

from diffpair.engines.fastest import opencl_gpus, platform_of, runs_on_gpu
from diffpair.errors import DiffPairError

KNOWN = [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]


def test_a_gpu_or_else_the_processor():
    """The one that is chosen is there, and only a GPU comes before the processor."""
    chosen = platform_of("auto")
    assert chosen in KNOWN
    gpus = [name for name in ("CUDA", "HIP", "OpenCL") if name in KNOWN and runs_on_gpu(name)]
    assert chosen == (gpus[0] if gpus else "CPU")


def test_a_name_stands():
    assert platform_of("Reference") == "Reference"
    with pytest.raises(DiffPairError, match="OpenMM has no platform 'Fast' here, only Reference, CPU"):
        platform_of("Fast")


@pytest.mark.skipif("OpenCL" not in KNOWN, reason="OpenMM has no OpenCL here")
def test_opencl_on_a_processor_is_no_gpu():
    """PoCL, as OpenMM itself sees it, has no device that counts."""
    system = openmm.System()
    system.addParticle(1.0)
    platform = openmm.Platform.getPlatformByName("OpenCL")
    try:
        context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    except openmm.OpenMMException:
        assert not runs_on_gpu("OpenCL")
        return
    if "Portable" in platform.getPropertyValue(context, "OpenCLPlatformName"):
        assert not runs_on_gpu("OpenCL")
    else:
        assert opencl_gpus() > 0 and runs_on_gpu("OpenCL")


def test_a_platform_that_is_not_here_does_not_work():
    assert runs_on_gpu("CUDA") == ("CUDA" in KNOWN and _works("CUDA"))


def _works(name):
    system = openmm.System()
    system.addParticle(1.0)
    try:
        openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(name))
    except openmm.OpenMMException:
        return False
    return True
