"""The OpenMM System of a state under a tabulated potential."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import openmm

from diffpair.bonded import add_links, add_terms, check_terms
from diffpair.errors import DiffPairError
from diffpair.states.state import NO_TYPE, State
from diffpair.states.validate import check_cutoff, check_types
from diffpair.tables import PairTable

if TYPE_CHECKING:
    from diffpair._openmm_forces import PairTableForce


def make_system(state: State, table: PairTable) -> tuple[openmm.System, PairTableForce]:
    """A new System with the state's further forces, if any, and the potential: its bonded terms, and the table as a
    `PairTableForce`; and that force.

    The force lives in the System, which has to be kept alive with it. Raises DiffPairError if state and table do not
    fit.
    """
    check_types(state, table.types)
    check_cutoff(state, table.cutoff)
    system = own_system(state)
    if table.bonded:
        add_terms(system, table.bonded, state.paths)
    force = make_force(state, table)
    system.addForce(force)
    return system, force


def own_system(state: State) -> openmm.System:
    """A new System with all of the state's forces but the learned one."""
    if state.base_system is None:
        system = openmm.System()
        for mass in state.masses:
            system.addParticle(float(mass))
    else:
        system = copy.deepcopy(state.base_system)
    system.setDefaultPeriodicBoxVectors(*state.box)
    return system


def with_molecules(state: State) -> openmm.System:
    """The same, with the bonds along which the potential has terms: a pressure of molecules asks what is one, and not
    for what acts within it."""
    system = own_system(state)
    if state.bonded:
        add_links(system, state.bonds)
    return system


def make_force(state: State, table: PairTable) -> PairTableForce:
    """The state's particles and exclusions under a table; types keep the table's order and names.

    Atoms without a type get one after them, of which no pair interacts: OpenMM wants a type for every particle.
    """
    from diffpair._openmm_forces import (
        PairTableForce,  # not at import: states can be built and looked at without the plugin
    )

    force = PairTableForce.fromTable(table_of_force(state, table))
    index_of = {NO_TYPE: len(table.types)} | {k: table.types.index(kind) for k, kind in enumerate(state.type_names)}
    for kind in state.types:
        force.addParticle(index_of[int(kind)])
    for i, j in state.exclusions:
        force.addExclusion(int(i), int(j))
    force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    return force


def table_of_force(state: State, table: PairTable) -> PairTable:
    """What the state's `PairTableForce` holds: the table, with one more type where atoms have none."""
    return table if state.complete else table.with_inert_type()


def check_table(old: PairTable, new: PairTable) -> None:
    """Refuse a table that cannot replace another in a live Context (DiffPairError): types, grid and bonded terms must
    agree."""
    check_terms(old.bonded, new.bonded)
    if new.types != old.types:
        raise DiffPairError(f"a table of {', '.join(new.types)} cannot replace one of {', '.join(old.types)}")
    before, after = (old.r_min, old.cutoff, old.knots), (new.r_min, new.cutoff, new.knots)
    if before != after:
        raise DiffPairError(
            f"a table of {after[2]} knots from {after[0]:g} to {after[1]:g} nm cannot replace one of {before[2]} knots "
            f"from {before[0]:g} to {before[1]:g} nm"
        )
