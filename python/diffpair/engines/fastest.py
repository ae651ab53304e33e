"""The fastest OpenMM platform that runs learned potentials here."""

from __future__ import annotations

import ctypes
import functools

import numpy as np
import openmm

from diffpair.errors import DiffPairError
from diffpair.systems.platforms import pick_platform
from diffpair.tables import PairTable

AUTO = "auto"  # as a platform's name
_OF_GPUS = ("CUDA", "HIP", "OpenCL")  # in the order of their speed on one and the same GPU
_GPU, _SUCCESS = 1 << 2, 0  # CL_DEVICE_TYPE_GPU and CL_SUCCESS of the OpenCL specification


def platform_of(name: str) -> str:
    """A platform's name as it stands, or for "auto" that of the fastest which works: CUDA, HIP or OpenCL on a GPU, or
    else CPU, or where that is missing Reference. Raises DiffPairError for a platform that is not here."""
    return _fastest() if name == AUTO else str(pick_platform(name)[0].getName())


@functools.cache
def _fastest() -> str:
    known = [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]
    working = (name for name in _OF_GPUS if name in known and runs_on_gpu(name))
    return next(working, str(pick_platform(None)[0].getName()))


def runs_on_gpu(name: str) -> bool:
    """Whether two particles under a `PairTableForce` have an energy on this platform; OpenCL on a processor is no
    GPU."""
    from diffpair._openmm_forces import PairTableForce  # not at import: the package can be looked at without the plugin

    if name == "OpenCL" and not opencl_gpus():
        return False
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*(4.0 * np.eye(3)))
    force = PairTableForce.fromTable(PairTable(("A",), 0.5, 1.0, np.zeros((1, 10))))
    force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    for _ in range(2):
        system.addParticle(1.0)
        force.addParticle(0)
    system.addForce(force)
    try:
        platform, properties = pick_platform(name)
        context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform, properties)
        context.setPositions([[0.0, 0.0, 0.0], [0.7, 0.0, 0.0]])
        context.getState(energy=True)
    except (openmm.OpenMMException, DiffPairError):
        return False  # no such platform or device, or no plugin of ours for it
    return name != "OpenCL" or "Portable" not in platform.getPropertyValue(context, "OpenCLPlatformName")


def opencl_gpus() -> int:
    """Number of GPUs that OpenCL has here. OpenMM itself does not tell a processor (PoCL) from a GPU."""
    try:
        library = ctypes.CDLL("libOpenCL.so.1")
    except OSError:
        return 0
    count, found = ctypes.c_uint(), 0
    if library.clGetPlatformIDs(0, None, ctypes.byref(count)) != _SUCCESS:
        return 0
    platforms = (ctypes.c_void_p * count.value)()
    library.clGetPlatformIDs(count, platforms, None)
    for platform in platforms:
        devices = ctypes.c_uint()
        wanted = (ctypes.c_void_p(platform), ctypes.c_uint64(_GPU), ctypes.c_uint(0), None, ctypes.byref(devices))
        if library.clGetDeviceIDs(*wanted) == _SUCCESS:
            found += devices.value
    return found
