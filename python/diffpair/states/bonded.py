"""What must hold between bonded terms of a potential and the bonds of states: refused in one sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from diffpair.bonded.term import ORDERS
from diffpair.errors import DiffPairError
from diffpair.states.state import State
from diffpair.systems.bonded_chains import bonded_chains
from diffpair.systems.bonded_paths import Kind
from diffpair.systems.own_forces import holds_molecules


class Term(Protocol):
    """Such as a section of `bonded`."""

    @property
    def kind(self) -> Kind: ...

    @property
    def label(self) -> str: ...


def acts_in(terms: Sequence[Term], state: State) -> bool:
    """Whether any of the terms occurs in a state."""
    paths = state.paths if terms else {}
    return any(term.kind in paths for term in terms)


def check_bonded(terms: Sequence[Term], states: Sequence[State]) -> None:
    """Refuse terms that occur nowhere or act a second time, and distributions of what a state does not have
    (DiffPairError)."""
    if not terms:
        return
    paths = {state.name: state.paths for state in states}
    for term in terms:
        if not any(term.kind in found for found in paths.values()):
            raise DiffPairError(
                f"bonded: no state has a {term.label}{_those(len(term.kind), paths.values())}; bonds are those of the "
                f"structure file (CONECT of a .pdb)"
            )
    for state in states:
        for target in state.distributions:
            if target.kind not in paths[state.name]:
                raise DiffPairError(
                    f"{target.label}: state {state.name!r} has no {target.coordinate.name} {'-'.join(target.kind)}"
                    f"{_those(len(target.kind), [paths[state.name]])}"
                )
        taken = {} if state.base_system is None else dict(bonded_chains(state.base_system))
        for term in terms:
            for path in paths[state.name].get(term.kind, ()):
                chain = min(tuple(path), tuple(path)[::-1])
                if chain in taken:
                    raise DiffPairError(
                        f"bonded: the {term.label} is to be learned, but the {taken[chain]} in the System of state "
                        f"{state.name!r} acts on the particles {', '.join(map(str, chain))} already: remove that force "
                        f"or leave the term out"
                    )


def _those(order: int, found: Sequence[dict[Kind, object]] | object) -> str:
    kinds = sorted({"-".join(kind) for paths in found for kind in paths if len(kind) == order})  # type: ignore[union-attr]
    return f": its {ORDERS[order]}s are {', '.join(kinds)}" if kinds else f": there are no {ORDERS[order]}s"


def held_by_nothing(state: State) -> bool:
    """Whether nothing acts along a state's bonds: no term of the potential, no force and no constraint of a System, and
    not the pair potential either."""
    loose = not state.bonded and state.script is None and not holds_molecules(state.base_system)
    return loose and len(state.bonds) > 0 and len(state.exclusions) > 0
