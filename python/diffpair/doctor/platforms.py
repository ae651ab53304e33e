"""Whether OpenMM's platforms run a learned potential, all with the same forces, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffpair.doctor.finding import Finding, one_line

if TYPE_CHECKING:
    import numpy as np
    import openmm
    from numpy.typing import NDArray

TOPIC = "platforms"
_NEEDED = ("Reference", "CPU")
_ATOMS, _SPACING = 8, 0.38  # along each edge of the box; nm
_AGREE = 1e-4  # rms difference of forces over their rms, far above single precision's
_SECONDS = 0.5  # that the speed is measured over, at least
_NO_GPU = "Fine on a machine without such a GPU; else look at its driver."
_PACKAGES = {"CUDA": "openmm-cuda-13", "HIP": "openmm-hip-6"}  # of pip, where OpenMM's platform is not in its own


def remedy_of(platform: str, why: str) -> str:
    """What to do where the plugin for a platform did not load, by what the loader said."""
    if "does not exist" in why:
        return "The installation is not complete: install DiffPair again, or run 'make build' in its checkout."
    if "undefined symbol" in why or "version `" in why:
        return "It was built against another OpenMM: install DiffPair again, or run 'make build' in its checkout."
    if "cannot open shared object file" in why:
        package = _PACKAGES.get(platform)
        again = f"pip install --force-reinstall {package}" if package else "pip install --force-reinstall openmm"
        return f"A library that it links is missing: {again}."
    return "Install DiffPair again, or run 'make build' in its checkout."


def platforms() -> Iterator[Finding]:
    """Each platform of OpenMM, and those that are missing though there is a GPU. DiffPair and OpenMM have to load."""
    import openmm

    from diffpair import plugin_failures
    from diffpair.engines.fastest import platform_of

    known = [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]
    reference: NDArray[np.float64] | None = None
    for name in sorted(known, key=lambda name: name != "Reference"):
        if name in plugin_failures:
            status: Any = "problem" if name in _NEEDED else "note"
            why = plugin_failures[name]
            yield Finding(TOPIC, name, status, f"our plugin did not load: {why}", remedy_of(name, why))
            continue
        found, forces = _tried(name, reference)
        reference = forces if name == "Reference" else reference
        yield found
    chosen = platform_of("auto")
    yield Finding(TOPIC, "auto", "ok", f"fits and runs take {chosen} here", figures={"platform": chosen})
    for name in _NEEDED:
        if name not in known:
            again = "pip install --force-reinstall openmm."
            yield Finding(TOPIC, name, "problem", "OpenMM has no such platform here", again)
    for failure in openmm.Platform.getPluginLoadFailures():
        text = f"a plugin of OpenMM's own did not load: {' '.join(failure.split())}"
        yield Finding(TOPIC, "OpenMM", "note", text, _NO_GPU)
    if "CUDA" not in known and Path("/dev/nvidia0").exists():
        text = "there is an NVIDIA GPU, but OpenMM has no CUDA platform"
        yield Finding(TOPIC, "CUDA", "note", text, f"pip install {_PACKAGES['CUDA']}.")


def _tried(name: str, reference: NDArray[np.float64] | None) -> tuple[Finding, NDArray[np.float64] | None]:
    """The sample on a platform: its finding, and its forces where there are any."""
    import openmm

    from diffpair.errors import DiffPairError

    on_gpu = name not in _NEEDED
    try:
        context = _context(name)
        forces = context.getState(forces=True).getForces(asNumpy=True)._value
    except (openmm.OpenMMException, DiffPairError) as error:
        if not on_gpu:
            remedy = "" if "DIFFPAIR_ISA" in str(error) else remedy_of(name, "")  # that error tells itself what to do
            return Finding(TOPIC, name, "problem", one_line(error), remedy), None
        return Finding(TOPIC, name, "note", f"not usable: {one_line(error)}", _NO_GPU), None
    rate = _steps_per_second(context)
    figures = {"particles": _ATOMS**3, "steps_per_second": round(rate, 1), **_details(name, context)}
    speed = f"{rate:,.0f} steps/s of {_ATOMS**3} particles"
    with_what = _words(figures)
    if reference is None:
        return Finding(TOPIC, name, "ok", f"{speed}{with_what}", figures=figures), forces
    off = float((((forces - reference) ** 2).mean() / (reference**2).mean()) ** 0.5)
    figures["force_difference"] = off
    if not off < _AGREE:  # nan, too
        text = f"forces are off by {off:.1g} of their size from those of Reference{with_what}"
        return Finding(TOPIC, name, "problem", text, "Choose another platform, and report this.", figures), forces
    text = f"forces as on Reference, to {off:.0e}; {speed}{with_what}"
    return Finding(TOPIC, name, "ok", text, figures=figures), forces


def _context(name: str) -> openmm.Context:
    """A box of particles off their lattice under a learned potential of the shape of Lennard-Jones's."""
    import numpy as np
    import openmm

    from diffpair import PairTable, PairTableForce
    from diffpair.systems.platforms import pick_platform

    rng = np.random.default_rng(5)
    sites = np.stack(np.meshgrid(*3 * [np.arange(_ATOMS)], indexing="ij"), axis=-1).reshape(-1, 3)
    positions = _SPACING * (sites + rng.uniform(-0.1, 0.1, sites.shape))
    knots = np.linspace(0.25, 0.85, 42)
    well = 4 * ((0.34 / knots) ** 12 - (0.34 / knots) ** 6)
    well[-3:] = 0
    table = PairTable(("A",), 0.25, 0.85, well[None, :])
    force = PairTableForce.fromTable(table)
    force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*(_ATOMS * _SPACING * np.eye(3)))
    for _ in positions:
        system.addParticle(40.0)
        force.addParticle(0)
    system.addForce(force)
    platform, properties = pick_platform(name)
    context = openmm.Context(system, openmm.LangevinMiddleIntegrator(120.0, 1.0, 0.002), platform, properties)
    context.setPositions(positions)
    return context


def _steps_per_second(context: openmm.Context) -> float:
    context.setVelocitiesToTemperature(120.0, 1)
    integrator = context.getIntegrator()
    integrator.step(1)
    context.getState(energy=True)  # a GPU works behind the call; this waits for it
    begin, steps = time.perf_counter(), 1
    while True:
        integrator.step(steps)
        context.getState(energy=True)
        now = time.perf_counter()
        if now - begin > _SECONDS:
            return steps / (now - begin)
        begin, steps = now, 2 * steps


def _details(name: str, context: openmm.Context) -> dict[str, Any]:
    """Device, precision, threads and instruction set, where the platform has such things."""
    platform = context.getPlatform()
    wanted = {"DeviceName": "device", "OpenCLPlatformName": "driver", "Precision": "precision", "Threads": "threads"}
    names = platform.getPropertyNames()
    found: dict[str, Any] = {
        word: platform.getPropertyValue(context, key).strip("\0 ") for key, word in wanted.items() if key in names
    }
    if name == "CPU":
        from diffpair import _openmm_forces

        found["threads"] = int(found["threads"])
        found["instruction_set"] = str(_openmm_forces._instructionSet())
    return found


def _words(figures: dict[str, Any]) -> str:
    """What is behind the speed, to be added to a sentence."""
    words = [str(figures[key]) for key in ("device", "driver", "precision", "instruction_set") if key in figures]
    if "threads" in figures:
        words.insert(0, f"{figures['threads']} thread{'s' if figures['threads'] != 1 else ''}")
    return f" ({', '.join(words)})" if words else ""
