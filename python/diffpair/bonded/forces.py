"""The bonded terms of a potential in an OpenMM System, and live in its Context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import openmm

from diffpair.bonded.term import BondedTerm, Paths, force_name
from diffpair.errors import DiffPairError

ENDS = ("low", "high", "wall")  # what a table in a Context cannot change


def add_terms(
    system: openmm.System, terms: Sequence[BondedTerm], paths: Mapping[tuple[str, ...], Paths]
) -> list[openmm.Force]:
    """Give a System one force for every term that occurs in it.

    Args:
        system: that gets the forces.
        terms: of a potential, `PairTable.bonded`.
        paths: chains of particles by kind, as `diffpair.systems.bonded_paths.bonded_paths` finds them.

    Returns:
        The forces that were added, OpenMM's own.
    """
    found = [term for term in terms if len(paths.get(term.kind, ()))]
    return [system.getForce(system.addForce(term.create_force(paths[term.kind]))) for term in found]


def add_links(system: openmm.System, bonds: Iterable[Sequence[int]]) -> None:
    """Give a System bonds without energy, for one without the terms' forces: it is by bonds that OpenMM tells what is
    one molecule."""
    links = openmm.CustomBondForce("0")
    links.setUsesPeriodicBoundaryConditions(True)
    for i, j in bonds:
        links.addBond(int(i), int(j))
    system.addForce(links)


def write_live(terms: Sequence[BondedTerm], context: openmm.Context) -> None:
    """Give the forces of `add_terms` other values and take them to the Context; nothing is built anew."""
    by_name = {force.getName(): force for force in context.getSystem().getForces()} if terms else {}
    for term in terms:
        if (force := by_name.get(force_name(term))) is not None:
            term.write_live(force, context)


def check_terms(old: Sequence[BondedTerm], new: Sequence[BondedTerm]) -> None:
    """Refuse terms that cannot replace others in a live Context (DiffPairError): kinds, forms and tables must agree."""
    if len(old) != len(new):
        raise DiffPairError(f"{len(new)} bonded terms cannot replace {len(old)}")
    for before, after in zip(old, new, strict=True):
        ends = [[term.numbers().get(name) for name in ENDS] for term in (before, after)]
        same = type(before) is type(after) and before.kind == after.kind and len(before.values) == len(after.values)
        if not same or ends[0] != ends[1]:
            raise DiffPairError(f"the {after.label} cannot replace the {before.label}: another form or another table")
