"""What moves the segments of the adjoint gradient: an integrator for each state at its temperature, and its forces."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np

from diffpair.gradients.target_rows import TargetRows
from diffpair.segments import (
    Integrator,
    LangevinMiddle,
    NoseHoover,
    SystemForces,
    Verlet,
    degrees_of_freedom,
    refusal,
)
from diffpair.states import State

MakeIntegrator = Callable[[State, int], Integrator]  # for a state, with the seed of its noise


def verlet(state: State, seed: int) -> Integrator:
    """A MakeIntegrator: constant energy, no bath."""
    return Verlet()


def langevin_middle(friction: float) -> MakeIntegrator:
    """LangevinMiddle with friction in 1/ps."""
    return lambda state, seed: LangevinMiddle(state.temperature, friction, seed)


def nose_hoover(collision_frequency: float, chain_length: int) -> MakeIntegrator:
    """NoseHoover with collision frequency in 1/ps and so many beads.

    The degrees of freedom are those of the state's System; without one, three for every atom, since the Sampler's
    thermostat lets the centre of mass move.
    """

    def make(state: State, seed: int) -> Integrator:
        degrees = None if state.base_system is None else degrees_of_freedom(state.base_system)
        return NoseHoover(state.temperature, collision_frequency, chain_length=chain_length, degrees_of_freedom=degrees)

    return make


def noise_seed(seed: int, state: State, draw: int) -> int:
    """A seed of 63 bits that depends on all three: noise is not shared by states, nor by draws.

    Args:
        seed, draw: zero or more. state: by its name.
    """
    entropy = (seed, draw, zlib.crc32(state.name.encode()))
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def unknown_to_segments(rows: TargetRows) -> str:
    """What in a state its segments do not know, in words; empty where they can be run."""
    system = rows.state.base_system
    if system is None:
        return ""
    if found := refusal(system):
        return found
    return "particles without a type" if system.getNumParticles() != rows.state.num_atoms else ""


def segment_forces(rows: TargetRows, platform: str | None = None) -> SystemForces | None:
    """What acts in a state beside the potential; None where nothing does.

    platform: OpenMM's, for forces that segments do not know; a user's Simulation has its own, and its Context's global
    parameters are those of every segment that begins. The Contexts made here live as long as the rows.
    """
    if rows.state.base_system is None:
        return None
    known = _forces.setdefault(rows, {})
    name = None if rows.state.simulation is not None else platform
    if name not in known:
        like = platform if rows.state.simulation is None else rows.state.simulation.context
        known[name] = SystemForces(rows.state.base_system, like)
    return known[name]


_forces: WeakKeyDictionary[TargetRows, dict[str | None, SystemForces]] = WeakKeyDictionary()
