"""States as one fit sees them: the same types and parameters in the same order, checked against its settings."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np

from diffpair.bonded import force_name
from diffpair.errors import DiffPairError
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.settings.fit_settings import FitSettings, Outline, check_together
from diffpair.settings.gradient import Adjoint
from diffpair.settings.sampling import Sampling
from diffpair.settings.update import IterativeBoltzmann
from diffpair.states import NO_TYPE, State, check_cutoff
from diffpair.states.bonded import acts_in, check_bonded, held_by_nothing
from diffpair.states.lammps import check_for_lammps, check_script
from diffpair.states.learned_forces import without
from diffpair.tables import type_pairs


def join_states(settings: FitSettings, states: Sequence[State]) -> list[State]:
    """The states of a fit, with everything checked that it relies on.

    All count their particles' types into the same tuple of names, in order of first appearance, so that one table
    serves them all. With the form energy_entropy each state's temperature is its parameter.

    Raises:
        DiffPairError: the cutoff reaches beyond half a box, or states and settings do not go together.

    Warns:
        UserWarning: no fitted state has a target for a pair of types that is learned; nothing acts along the bonds of a
            state.
    """
    if not states:
        raise DiffPairError("states: a fit needs one or more")
    for state in states:
        if not isinstance(state, State):
            raise DiffPairError(f"states: a state is made by diffpair.State, not {state!r}")
    check_together(settings, [outline(state) for state in states])
    _check_simulations(settings, states)
    names = tuple(dict.fromkeys(name for state in states for name in state.type_names))
    learned = settings.potential.learned_rows(names)
    for state in states:
        check_cutoff(state, settings.potential.cutoff)
        if state.simulation is not None:
            state.simulation.check_cutoff(settings.potential.cutoff)
        timestep = timestep_of(settings.sampling, state)
        for target in state.vacfs:
            target.stride(timestep)
    pairs = type_pairs(names)
    _check_learned(settings, states, [pairs[row] for row in (range(len(pairs)) if learned is None else learned)])
    states = [_without_terms(settings, state) for state in states]
    check_bonded(settings.bonded, states)
    states = [dataclasses.replace(state, bonded=acts_in(settings.bonded, state)) for state in states]
    _warn_of_loose_bonds(states)
    for state in states:
        if state.script is not None:
            check_script(state)
        elif settings.sampling.lammps is not None and state.simulation is None:
            check_for_lammps(state)
    order = states[0].parameter_names
    return [_with_parameters(_with_types(state, names), settings, order) for state in states]


def timestep_of(sampling: Sampling, state: State) -> float:
    """The time step of a state's simulation, ps. Raises DiffPairError where nothing gives it."""
    found = state.timestep if state.timestep is not None else sampling.timestep
    if found is None:
        raise DiffPairError(f"state {state.name!r} needs a time step: give sampling=Sampling(timestep=0.002), in ps")
    return found


def outline(state: State) -> Outline:
    """What the checks of settings need to know of a state."""
    return Outline(
        state.name, state.held_out, state.temperature, state.parameter_names, len(state.rdfs), len(state.pressures),
        len(state.densities), len(state.vacfs), [target.scale_error for target in state.rdfs],
        [target.kind for target in state.distributions],
    )  # fmt: skip


def _check_learned(settings: FitSettings, states: Sequence[State], learned: list[tuple[str, str]]) -> None:
    """Warn of learned pairs of types whose g(r) no fitted state has as a target; refuse what the update cannot use."""
    wanted = {frozenset(pair) for pair in learned}
    targets = [target for state in states if not state.held_out for target in state.rdfs]
    known = {frozenset(target.pair) for target in targets}
    if not known & wanted:
        names = ", ".join("-".join(pair) for pair in learned)
        raise DiffPairError(f"potential: pairs has {names} learned, but no state that is fitted has a target for it")
    for target in targets:
        if isinstance(settings.method, IterativeBoltzmann) and frozenset(target.pair) not in wanted:
            raise DiffPairError(
                f"update: ibi corrects each pair by its own g(r), but {target.label} is of a pair that potential: "
                f"pairs leaves out; leave that target out, too, or take another update"
            )
    free = ["-".join(pair) for pair in learned if frozenset(pair) not in known and _meet(states, *pair)]
    if free:
        warnings.warn(
            f"no state that is fitted has a target for {', '.join(free)}: the potential between these types follows "
            f"from the other targets alone (potential: pairs names the pairs that are learned, if not all of them are)",
            stacklevel=4,
        )


def _warn_of_loose_bonds(states: Sequence[State]) -> None:
    """Warn of molecules that nothing holds together."""
    for state in states:
        if held_by_nothing(state):
            warnings.warn(
                f"state {state.name!r} has {len(state.bonds)} bonds, but nothing holds them together: it has no System "
                f"with a force or a constraint for them, and no bonded term of the potential (section bonded); "
                f"particles that are bonded do not feel the pair potential",
                stacklevel=4,
            )


def _check_simulations(settings: FitSettings, states: Sequence[State]) -> None:
    """Refuse one Simulation as two states, a thermostat of the user's whose friction is to be learned, and segments
    where the forces are LAMMPS'."""
    seen: dict[int, str] = {}
    for state in states:
        if state.script is not None and isinstance(settings.gradient, Adjoint):
            raise DiffPairError(
                f"gradient: adjoint needs the forces of state {state.name!r} in OpenMM, but they are those of a LAMMPS "
                f"input script: use method: fluctuation"
            )
        if state.simulation is None:
            continue
        other = seen.setdefault(id(state.simulation.simulation), state.name)
        if other != state.name:
            raise DiffPairError(
                f"states {other!r} and {state.name!r} are one and the same Simulation: each needs its own"
            )
        if isinstance(settings.gradient, Adjoint) and settings.gradient.learn_friction is not None:
            raise DiffPairError(
                f"gradient: learn_friction changes the thermostat of a state, but that of state {state.name!r} is the "
                f"user's own Simulation's: leave learn_friction and its vacf out, or make the state from files"
            )


def _without_terms(settings: FitSettings, state: State) -> State:
    """Its System without the terms of an earlier fit that this one learns."""
    if state.base_system is None or not settings.bonded:
        return state
    names = {force_name(term) for term in settings.bonded}
    return dataclasses.replace(state, base_system=without(state.base_system, names))


def _meet(states: Sequence[State], a: str, b: str) -> bool:
    """Whether any state has a pair of particles of these types: a single particle of a type has none with itself."""
    return any(
        interacting_pairs(state.types, len(state.type_names), state.exclusions)[state.pair_types((a, b))] > 0
        for state in states
        if a in state.type_names and b in state.type_names
    )


def _with_types(state: State, names: tuple[str, ...]) -> State:
    """The same state, its types counted into ``names``."""
    places = np.array([names.index(name) for name in state.type_names])
    types = np.where(state.types == NO_TYPE, NO_TYPE, places[state.types])
    return dataclasses.replace(state, type_names=names, types=types)


def _with_parameters(state: State, settings: FitSettings, order: tuple[str, ...]) -> State:
    """Its parameters in that order; the temperature for the form that takes it."""
    if settings.potential.form == "energy_entropy":
        return dataclasses.replace(state, parameters=(state.temperature,), parameter_names=("temperature",))
    given = dict(zip(state.parameter_names, state.parameters, strict=True))
    return dataclasses.replace(state, parameters=tuple(given[name] for name in order), parameter_names=order)
