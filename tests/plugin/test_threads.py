"""Contexts in threads of Python, several in one process, many in turn: the same results, no more memory."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import TorchPairForce

STEPS = 40


def context_of(tools, pair_system, force, platform, threads="2"):
    """A Context with velocities, whose trajectory is the same each time: on the CPU platform, with one thread."""
    integrator = openmm.VerletIntegrator(0.002)
    system = pair_system.system(force)
    properties = {"Threads": threads} if platform == "CPU" else {}
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform), properties)
    context.setPositions(pair_system.positions)
    context.setVelocities(np.random.default_rng(pair_system.seed).normal(0, 0.1, pair_system.positions.shape))
    return context


def torch_force(pair_system, power):
    force = TorchPairForce(power.save_to_buffer(), 1, 0.25, 0.8, 20)
    force.addGlobalParameter("a", 1.0)
    force.addGlobalParameter("b", 0.5)
    for _ in range(pair_system.num_particles):
        force.addParticle(0)
    force.setNonbondedMethod(force.CutoffPeriodic)
    return force


def run(context) -> np.ndarray:
    """Positions after some steps."""
    context.getIntegrator().step(STEPS)
    return np.array(context.getState(positions=True).getPositions(asNumpy=True)._value)


@pytest.mark.parametrize("kind", ["table", "torch"])
def test_contexts_in_threads(tools, host_platform, power, kind):
    """Two threads of Python, each with Contexts of its own made in it, give what one after the other gives."""
    pair_systems = [tools.PairSystem(seed=seed) for seed in (3, 4, 5, 6)]

    def trajectory(pair_system):
        force = pair_system.table_force() if kind == "table" else torch_force(pair_system, power)
        return run(context_of(tools, pair_system, force, host_platform, "1"))

    alone = [trajectory(each) for each in pair_systems]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(trajectory, pair_systems))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(alone[0], alone[1])


def test_updates_in_threads(tools, host_platform):
    """Live updates of one Context do not reach another."""
    pair_systems = [tools.PairSystem(seed=seed) for seed in (3, 4)]

    def energies(pair_system):
        force = pair_system.table_force()
        context = context_of(tools, pair_system, force, host_platform, "1")
        found = []
        for factor in (1.0, 2.0, 0.5, 1.0) * 20:
            for (a, b), row in zip(pair_system.pair_indices(), pair_system.coefficients, strict=True):
                force.setPairCoefficients(a, b, factor * row)
            force.updateParametersInContext(context)
            found.append(context.getState(energy=True).getPotentialEnergy()._value / factor)
        return found

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(energies, pair_systems))
    for found, pair_system in zip(together, pair_systems, strict=True):
        alone = energies(pair_system)
        assert found == alone and np.ptp(alone) < 1e-5 * abs(alone[0])


def test_eight_contexts(tools, host_platform, power):
    """In one process, stepped in turns: each as if it were alone."""
    pair_systems = [tools.PairSystem(seed=seed) for seed in range(8)]
    forces = [
        (lambda each=each: each.table_force()) if k % 2 else (lambda each=each: torch_force(each, power))
        for k, each in enumerate(pair_systems)
    ]
    alone = [
        run(context_of(tools, p, make(), host_platform, "1")) for p, make in zip(pair_systems, forces, strict=True)
    ]
    contexts = [context_of(tools, p, make(), host_platform, "1") for p, make in zip(pair_systems, forces, strict=True)]
    for _ in range(STEPS):
        for context in contexts:
            context.getIntegrator().step(1)
    for context, expected in zip(contexts, alone, strict=True):
        np.testing.assert_array_equal(context.getState(positions=True).getPositions(asNumpy=True)._value, expected)


def resident_mb() -> float:
    """Of this process, now."""
    status = Path("/proc/self/status")
    if not status.is_file():
        pytest.skip("the system tells of no memory in /proc")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("kind", ["table", "torch"])
def test_a_thousand_contexts(tools, host_platform, power, kind):
    """Made and destroyed one after another; a leak of the smallest table alone, 2 kB, would be 2 MB in the end."""
    pair_system = tools.PairSystem(num_particles=20)
    force = pair_system.table_force() if kind == "table" else torch_force(pair_system, power)
    system = pair_system.system(force)
    first, before = None, 0.0
    for made in range(1050):
        integrator = openmm.VerletIntegrator(0.001)
        properties = {"Threads": "1"} if host_platform == "CPU" else {}
        context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(host_platform), properties)
        context.setPositions(pair_system.positions)
        energy = context.getState(energy=True).getPotentialEnergy()._value
        first = energy if first is None else first
        assert energy == first
        del context, integrator
        if made == 49:  # pools and caches are filled
            gc.collect()
            before = resident_mb()
    gc.collect()
    assert resident_mb() - before < 1.0
