"""Which pairs do not feel the pair potential and are left out of g(r): the one definition, of states and targets."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import openmm
from numpy.typing import NDArray

DEFAULT_BONDS = 3  # where neither the user nor the System says so: neighbours, their neighbours, ends of dihedrals

Bonds = Iterable[tuple[int, int]]
Pairs = NDArray[np.int64]


def excluded_pairs(what: str, system: openmm.System | None, bonds: Bonds, distance: int | None) -> Pairs:
    """Excluded pairs of a state or trajectory, [E, 2] with i < j, sorted.

    Args:
        what: how a warning names it.
        bonds: those of the topology.
        system: its NonbondedForce or CustomNonbondedForce, if it has one, decides where `distance` is None; its bonds
            and constraints count beside those of the topology.
        distance: particles up to so many bonds apart are excluded.

    Warns:
        UserWarning: `distance` asks for other pairs than the System's own nonbonded force excludes.
    """
    if system is None:
        return bonded_pairs(bonds, DEFAULT_BONDS if distance is None else distance)
    links = {*bonds, *_links(system)}
    nonbonded = next((force for force in system.getForces() if isinstance(force, _NONBONDED)), None)
    if nonbonded is None:
        return bonded_pairs(links, DEFAULT_BONDS if distance is None else distance)
    own = _exclusions_of(nonbonded)
    if distance is None:
        return own
    wanted = bonded_pairs(links, distance)
    # a force without exclusions stands beside any other, on GPUs too
    if len(wanted) and not np.array_equal(wanted, own):
        warnings.warn(
            f"{what} excludes the {len(wanted)} pairs that are at most {distance} bonds apart, but the System's "
            f"{nonbonded.getName()} excludes {len(own)}: the platforms Reference and CPU can do that, GPUs cannot",
            stacklevel=3,
        )
    return wanted


def bonded_pairs(bonds: Bonds, distance: int) -> Pairs:
    """Pairs at most `distance` bonds apart, [E, 2] with i < j, sorted."""
    neighbours: dict[int, set[int]] = {}
    for i, j in bonds:
        neighbours.setdefault(i, set()).add(j)
        neighbours.setdefault(j, set()).add(i)
    pairs: set[tuple[int, int]] = set()
    for start in neighbours:
        reached, shell = {start}, {start}
        for _ in range(distance):
            if not shell:
                break
            shell = {j for i in shell for j in neighbours[i]} - reached
            reached |= shell
        pairs.update((start, j) for j in reached if j > start)
    return sorted_pairs(pairs)


def links_of(system: openmm.System | None, bonds: Bonds) -> set[tuple[int, int]]:
    """All bonds: those of the topology and those of a System."""
    return {*bonds} if system is None else {*bonds, *_links(system)}


_NONBONDED = openmm.NonbondedForce | openmm.CustomNonbondedForce


def _exclusions_of(force: openmm.NonbondedForce | openmm.CustomNonbondedForce) -> Pairs:
    if isinstance(force, openmm.NonbondedForce):
        return sorted_pairs(force.getExceptionParameters(k)[:2] for k in range(force.getNumExceptions()))
    return sorted_pairs(force.getExclusionParticles(k) for k in range(force.getNumExclusions()))


def _links(system: openmm.System) -> list[tuple[int, int]]:
    """Bonds of its forces, and constraints."""
    found = [system.getConstraintParameters(k)[:2] for k in range(system.getNumConstraints())]
    for force in system.getForces():
        if isinstance(force, openmm.HarmonicBondForce | openmm.CustomBondForce):
            found += [force.getBondParameters(k)[:2] for k in range(force.getNumBonds())]
    return [(int(i), int(j)) for i, j in found]


def sorted_pairs(pairs: Iterable[tuple[int, int]]) -> Pairs:
    """Each once, [E, 2] with i < j, sorted."""
    unique = {(min(i, j), max(i, j)) for i, j in pairs if i != j}
    return np.array(sorted(unique), dtype=np.int64).reshape(-1, 2)
