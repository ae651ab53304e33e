"""What must hold between a state, its targets and the potential's cutoff: refused in one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diffpair.errors import DiffPairError
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.states.state import State
from diffpair.targets import check_unit
from diffpair.targets.given import check_once_each

_SLACK = 1 + 1e-6  # a cutoff of exactly half the box is fine


def check_targets(state: State) -> None:
    """Refuse targets of unknown types, beyond half the box, or in the wrong unit by appearance; a density at constant
    volume; and, of states that are fitted, a pressure that a barostat holds, and VACFs where atoms have no type
    (DiffPairError).
    """
    measured = (("pressure", state.pressures), ("density", state.densities), ("vacf", state.vacfs))
    check_once_each([target.pair for target in state.rdfs], {kind: len(found) for kind, found in measured})
    if state.densities and state.barostat is None:
        raise DiffPairError(
            f"state {state.name!r} has a density as a target, but no barostat, so its volume is constant: add a "
            f"MonteCarloBarostat to its System or leave out the density"
        )
    if state.pressures and state.barostat is not None and not state.held_out:
        raise DiffPairError(
            f"state {state.name!r} has a pressure as a target, but its barostat holds {state.barostat_pressure:g} bar "
            f"whatever the potential is: give its density as a target, or remove the barostat"
        )
    if not state.complete and not state.held_out and state.vacfs:
        raise DiffPairError(
            f"state {state.name!r} has atoms without a type, whose part of the vacf a fit does not know: it can "
            f"be a target only of states that are held out then"
        )
    for target in state.rdfs:
        for kind in target.pair:
            if kind not in state.type_names:
                known = ", ".join(state.type_names)
                raise DiffPairError(
                    f"{target.label} names type {kind!r}, which state {state.name!r} does not have ({known})"
                )
        first, second = state.pair_types(target.pair)
        if interacting_pairs(state.types, len(state.type_names), state.exclusions)[first, second] < 1:
            raise DiffPairError(f"{target.label}: state {state.name!r} {_no_pairs(state, first, second)}")
        # the unit first: an RDF in Angstrom read as nm is also too long, and the unit is what the user has to mend
        count = np.isin(state.types, state.pair_types(target.pair)).sum()
        check_unit(target, count / state.target_volume)
        if target.r_max > state.half_box * _SLACK:
            raise DiffPairError(
                f"{target.label} of state {state.name!r} reaches to r = {target.r_max:g} nm, beyond half the "
                f"box ({state.half_box:g} nm): use more particles or give a shorter range"
            )


def _no_pairs(state: State, first: int, second: int) -> str:
    """Why there is no pair of these two types."""
    name = "-".join(state.type_names[kind] for kind in (first, second))
    if first == second and np.count_nonzero(state.types == first) == 1:
        return f"has a single particle of type {state.type_names[first]!r}, and so no pairs {name} that have a g(r)"
    return f"excludes all its pairs {name}, so that none has a g(r)"


def check_cutoff(state: State, cutoff: float) -> None:
    """Refuse a cutoff beyond half the box (DiffPairError)."""
    if cutoff > state.half_box * _SLACK:
        raise DiffPairError(
            f"the cutoff of {cutoff:g} nm is beyond half the box of state {state.name!r} ({state.half_box:g} nm): "
            f"use more particles or a shorter cutoff"
        )


def check_types(state: State, potential_types: Sequence[str]) -> None:
    """Refuse a state with a particle type that the potential does not know (DiffPairError)."""
    for kind in state.type_names:
        if kind not in potential_types:
            known = ", ".join(potential_types)
            raise DiffPairError(
                f"state {state.name!r} has particles of type {kind!r}, but the potential has only {known}"
            )
