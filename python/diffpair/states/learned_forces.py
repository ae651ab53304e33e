"""The forces of a System that a fit learns: its `PairTableForce`, and those of bonded terms, which have names."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import TYPE_CHECKING

import openmm

from diffpair.bonded import add_terms, force_name
from diffpair.states.state import State
from diffpair.states.system import make_force
from diffpair.tables import PairTable

if TYPE_CHECKING:
    from diffpair._openmm_forces import PairTableForce


def learned_forces(state: State, table: PairTable) -> tuple[PairTableForce, list[openmm.Force]]:
    """Those of a state under a potential: the pairs', and one for each bonded term that occurs in it."""
    nothing = openmm.System()
    if table.bonded:
        add_terms(nothing, table.bonded, state.paths)
    return make_force(state, table), [copy.deepcopy(force) for force in nothing.getForces()]


def term_names(state: State, table: PairTable) -> tuple[str, ...]:
    """Names of the forces of the bonded terms that occur in a state."""
    paths = state.paths if table.bonded else {}
    return tuple(force_name(term) for term in table.bonded if len(paths.get(term.kind, ())))


def without(system: openmm.System, names: Collection[str]) -> openmm.System:
    """A copy of a System without the forces of these names."""
    result = copy.deepcopy(system)
    for index in reversed(range(result.getNumForces())):
        if result.getForce(index).getName() in names:
            result.removeForce(index)
    return result


def held(system: openmm.System, names: Collection[str]) -> list[openmm.Force]:
    """Copies of the forces of these names."""
    return [copy.deepcopy(force) for force in system.getForces() if force.getName() in names]


def exchange(system: openmm.System, terms: list[openmm.Force], names: Collection[str]) -> None:
    """Other forces in the place of those of these names. A Context does not know it yet."""
    for index in reversed(range(system.getNumForces())):
        if system.getForce(index).getName() in names:
            system.removeForce(index)
    for force in terms:
        system.addForce(copy.deepcopy(force))


def exchange_pairs(system: openmm.System, pairs: PairTableForce | None) -> None:
    """Another `PairTableForce` in a System, or none. A Context does not know it yet."""
    for index in reversed(range(system.getNumForces())):
        if is_pair_table_force(system.getForce(index)):
            system.removeForce(index)
    if pairs is not None:
        system.addForce(pairs)


def pair_table_forces(system: openmm.System) -> list[PairTableForce]:
    """All of a System."""
    from diffpair._openmm_forces import PairTableForce  # not at import: states can be looked at without the plugin

    return [PairTableForce.cast(force) for force in system.getForces() if PairTableForce.isinstance(force)]


def is_pair_table_force(force: openmm.Force) -> bool:
    from diffpair._openmm_forces import PairTableForce

    return bool(PairTableForce.isinstance(force))
