"""Why a simulation ran away, found by looking: at where it was still sound, and by running it again from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diffpair.states.state import NO_TYPE, State
from diffpair.systems.nearest_image import nearest_image
from diffpair.tables import PairTable

Array = NDArray[np.float64]
OVERLAP = 50.0  # kT of a pair: no collision of a fluid in equilibrium is so hard
NUDGE = 0.01  # nm: a force of which this way takes OVERLAP is as hard
LOOKED_AT = 4_000_000  # pairs: all of 2000 particles, of more the ones under the largest forces
SHORTER, TRIALS = 4.0, 6  # each trial's time step is so many times shorter than the one before


@dataclass(frozen=True)
class Trial:
    """What running again has shown. failed: whether it exploded. positions, nm, box [3, 3], nm, and forces, kJ/mol/nm,
    [N, 3]: the last finite ones."""

    failed: bool
    positions: Array
    box: Array
    forces: Array


class Run(Protocol):
    """Runs again from where the simulation was still sound, or from where it began."""

    def __call__(self, timestep: float, steps: int, from_begin: bool = False) -> Trial: ...


@dataclass(frozen=True)
class Pair:
    """Two particles, their distance in nm, their potential in kJ/mol, and their types."""

    i: int
    j: int
    r: float
    energy: float
    types: tuple[str, str]

    def __str__(self) -> str:
        return f"particles {self.i} and {self.j} ({'-'.join(self.types)})"


def cause(
    state: State,
    table: PairTable,
    kT: float,
    timestep: float,
    steps: int,
    fresh: bool,
    run: Run,
) -> str:
    """The cause of an explosion in words.

    Args:
        kT: of the thermostat, kJ/mol. timestep: ps. steps: within which it exploded. fresh: nothing has run with this
            potential yet, so the structure itself may be at fault.
    """
    if fresh and (found := _bad_start(state, table, kT, run(timestep, 0))):
        return found
    again = run(timestep, steps)
    if found := _open_core(state, table, kT, again):
        return found
    if not again.failed:
        return f"it does not happen again from shortly before: a shorter time step than {1000 * timestep:g} fs may help"
    for from_begin in (False, True):  # what looks sound may have been lost already
        for k in range(1, TRIALS + 1):
            shorter = timestep / SHORTER**k
            if not run(shorter, steps, from_begin).failed:
                return f"the time step of {1000 * timestep:g} fs is too long: with {1000 * shorter:.2g} fs it runs on"
    return f"a time step of {1000 * shorter:.2g} fs instead of {1000 * timestep:g} fs does not help"


def _bad_start(state: State, table: PairTable, kT: float, begin: Trial) -> str:
    """Particles that overlap, or further forces that are as hard, where a simulation begins."""
    pairs = _pairs(state, table, begin)
    worst = max(pairs, key=lambda pair: pair.energy, default=None)
    if worst is not None and worst.energy > OVERLAP * kT:
        way_out = (
            "the potential's core is too wide or too hard for that structure"
            if state.on_lattice
            else "minimise the energy of the structure, or look at the unit of its coordinates"
        )
        return (
            f"{worst} overlap where it began: they are {worst.r:.3g} nm apart, where U is {worst.energy:.2g} kJ/mol "
            f"({worst.energy / kT:.2g} kT); {way_out}"
        )
    if state.base_system is None:
        return ""
    strongest = int(np.argmax(np.linalg.norm(np.nan_to_num(begin.forces, nan=np.inf), axis=1)))
    own = float(np.linalg.norm(begin.forces[strongest] - _pair_force(state, table, begin, strongest)))
    if own * NUDGE < OVERLAP * kT:
        return ""
    return (
        f"where it began, the System's own forces pull at particle {strongest} with {own:.2g} kJ/mol/nm: look at its "
        f"bonds and at what is near it"
    )


def _open_core(state: State, table: PairTable, kT: float, again: Trial) -> str:
    """Two particles on the inner side of a barrier of U, from where nothing keeps them from r = 0."""
    for pair in sorted(_pairs(state, table, again), key=lambda pair: pair.r):
        outer = np.linspace(pair.r, table.cutoff, 400)
        inner = np.linspace(0.0, pair.r, 400)
        values = table.energy(outer, *pair.types)
        top = int(np.argmax(values))
        if values[top] - kT > float(np.max(table.energy(inner, *pair.types))):
            return (
                f"{pair} fell into each other, to {pair.r:.2g} nm: the core of U does not keep them apart, it falls "
                f"inward from {values[top]:.3g} kJ/mol at {outer[top]:.2g} nm"
            )
    return ""


def _pairs(state: State, table: PairTable, seen: Trial) -> list[Pair]:
    """Of the particles under the largest forces and each pair of types: the nearest pair, where it is in the range of
    the potential, and the one of the largest energy."""
    size = len(state.masses)
    force = np.linalg.norm(np.nan_to_num(seen.forces, nan=np.inf), axis=1)
    force[state.types == NO_TYPE] = -1.0
    chosen = np.argsort(-force, kind="stable")[: max(1, LOOKED_AT // max(size, 1))]
    found: dict[tuple[str, str], list[Pair]] = {}
    for i in map(int, chosen):
        r = _distances(state, seen, i)
        for kind, name in enumerate(state.type_names):
            where = np.flatnonzero((state.types == kind) & (r < table.cutoff))
            if not len(where):
                continue
            types = (state.type_names[state.types[i]], name)
            energy = table.energy(r[where], *types)
            for k in {int(np.argmin(r[where])), int(np.argmax(energy))}:
                j = int(where[k])
                pair = Pair(min(i, j), max(i, j), float(r[j]), float(energy[k]), types)
                found.setdefault((min(types), max(types)), []).append(pair)
    return [
        best
        for pairs in found.values()
        for best in (min(pairs, key=lambda pair: pair.r), max(pairs, key=lambda pair: pair.energy))
    ]


def _distances(state: State, seen: Trial, i: int) -> Array:
    """From particle i to the nearest image of every other one, [N]; infinite to itself, where it is excluded, and where
    either has no type."""
    apart = nearest_image(seen.positions - seen.positions[i], seen.box)
    r = np.linalg.norm(apart, axis=1)
    r[i] = np.inf
    r[(state.types == NO_TYPE) | (state.types[i] == NO_TYPE)] = np.inf
    excluded = np.asarray(state.exclusions, dtype=int).reshape(-1, 2)
    r[excluded[excluded[:, 0] == i, 1]] = np.inf
    r[excluded[excluded[:, 1] == i, 0]] = np.inf
    return np.asarray(r)


def _pair_force(state: State, table: PairTable, seen: Trial, i: int) -> Array:
    """The potential's force on particle i, [3] in kJ/mol/nm."""
    r = _distances(state, seen, i)
    near = np.flatnonzero(r < table.cutoff)
    toward = nearest_image(seen.positions[near] - seen.positions[i], seen.box)
    names = state.type_names
    strength = [float(table.force(r[j], names[state.types[i]], names[state.types[j]])) / max(r[j], 1e-12) for j in near]
    return np.asarray(-(np.array(strength) @ toward) if len(near) else np.zeros(3))
