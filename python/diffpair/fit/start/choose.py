"""The start of a fit that is not told: a closure of liquid state theory where one holds, else Boltzmann inversion."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.fit.start.hypernetted_chain import HypernettedChain
from diffpair.fit.start.inversion import crystalline
from diffpair.fit.start.single_molecule import whole_molecules_excluded
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.settings.start import CLOSURES, Start
from diffpair.states import State, beside_potential, type_charges
from diffpair.tables import type_pairs

Array = NDArray[np.float64]
FULL = 1.0  # part of the density that data have to allow
REACH = 2.5  # contact distances: where data end nearer, U is not 0 beyond them, as a chain takes it to be


@dataclass(frozen=True)
class ChosenStart:
    """start: the method that was asked for, or chosen. chains: by name, states at which the Ornstein-Zernike relation
    holds. good: those of them that are trusted. sentence: what was chosen and why, if there was a choice."""

    start: Start
    chains: dict[str, HypernettedChain] = field(default_factory=dict)
    good: dict[str, HypernettedChain] = field(default_factory=dict)
    sentence: str = ""


def choose_start(start: Start, states: list[State], contact: Array) -> ChosenStart:
    """For the fitted states.

    Args:
        contact: contact distance per pair of types, nm.

    Raises DiffPairError where a closure was asked for and does not hold.
    """
    reach = float(contact.min())
    reasons = {state.name: obstacle(state) for state in states if state.rdfs}
    if start.method in CLOSURES:
        for name, reason in reasons.items():
            if reason:
                raise DiffPairError(
                    f"start: {start.method} is for fluids with no forces between molecules but the pair potential, and "
                    f"g(r) of all pairs, but state {name!r} {reason}; start: boltzmann-inversion does without"
                )
    chains = {s.name: HypernettedChain(s, reach) for s in states if reasons.get(s.name) == ""}
    doubts = {s.name: doubt(s, chains[s.name], reach) for s in states if s.name in chains}
    good = {name: chain for name, chain in chains.items() if not doubts[name]}
    if start.method != "auto":
        return ChosenStart(start, chains, good)
    for name, reason in (reasons | doubts).items():
        if reason:
            said = f"start: Boltzmann inversion, since state {name} {reason}"
            return ChosenStart(Start(method="boltzmann-inversion"), chains, good, said)
    charged = [name for name, chain in chains.items() if chain.charged]
    if charged:  # Verlet's bridge function is that of hard cores, not of ions; beside charges it made U worse
        said = f"start: hypernetted chain, with the charges of state {charged[0]} in it"
        return ChosenStart(Start(method="hypernetted-chain"), chains, good, said)
    molecules = [state.name for state in states if state.name in chains and len(state.exclusions)]
    between = f" between the sites of the molecules of state {molecules[0]}" if molecules else ""
    said = f"start: hypernetted chain{between} with Verlet's bridge function"
    return ChosenStart(Start(method="modified-verlet"), chains, good, said)


def doubt(state: State, chain: HypernettedChain, contact: float) -> str:
    """Why the relation holds, but its result is not to be trusted; empty where it is. contact: nm."""
    if any(crystalline(target) for target in state.rdfs):
        return "is a crystal by its g(r)"
    if chain.charged and chain.reached < FULL:
        return "has charges and g(r) that the Ornstein-Zernike relation does not bring together"
    if chain.reached < FULL:
        return f"has a g(r) that is possible at {chain.reached:.2g} of its density only (Ornstein-Zernike relation)"
    if any(target.r_max < REACH * contact for target in state.rdfs):
        return f"has a g(r) that ends before {REACH:g} contact distances"
    return ""


def obstacle(state: State) -> str:
    """Why the Ornstein-Zernike relation of a state's g(r) tells nothing of its pair potential; empty where it does."""
    charges = type_charges(state.base_system, state.types, len(state.type_names))  # pair forces, a part of the relation
    if charges is None and not state.holds_molecules_only:
        return f"has {beside_potential(state.base_system) or 'further forces'}"
    if not (state.masses > 0).all():
        return "has particles that do not move (mass 0)"
    if not whole_molecules_excluded(state):
        return "has molecules of which not all pairs are excluded"
    if not (state.types >= 0).all():
        return "has atoms without a type"
    numbers = interacting_pairs(state.types, len(state.type_names), state.exclusions)
    known = {frozenset(target.pair) for target in state.rdfs}
    for a, b in type_pairs(state.type_names):
        if numbers[state.pair_types((a, b))] and frozenset((a, b)) not in known:
            return f"has no target for {a}-{b}"
    return ""
