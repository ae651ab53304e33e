"""From the checked config to states that can run."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING

import numpy as np

from diffpair.config.fit_config import FitConfig
from diffpair.config.states import State as StateSection
from diffpair.config.states import System
from diffpair.config.update import IterativeBoltzmann
from diffpair.errors import DiffPairError
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.tables import type_pairs
from diffpair.targets import PressureTarget, Target, read_rdf, read_vacf

if TYPE_CHECKING:
    from diffpair.states import State


def build_states(config: FitConfig) -> list[State]:
    """The states of a config, with targets read and everything checked that the fit relies on.

    All states count their particles' types into the same tuple of names, in order of first appearance, so that one
    table serves them all.

    Raises:
        DiffPairError: a file is missing or bad, a target or the cutoff reaches beyond half the box, a target's pair is
            of a type that the state does not have, or r appears to be in the wrong unit.

    Warns:
        UserWarning: no fitted state has a target for a pair of types that is learned.
    """
    from diffpair.states import check_cutoff

    states = [_build(config, section) for section in config.states]
    names = tuple(dict.fromkeys(name for state in states for name in state.type_names))
    learned = config.potential.learned_rows(names)
    for state in states:
        check_cutoff(state, config.potential.cutoff)
    pairs = type_pairs(names)
    _check_learned(config, states, [pairs[row] for row in (range(len(pairs)) if learned is None else learned)])
    return [_with_types(state, names) for state in states]


def _check_learned(config: FitConfig, states: list[State], learned: list[tuple[str, str]]) -> None:
    """Warn of learned pairs of types whose g(r) no fitted state has as a target; refuse what the update cannot use."""
    wanted = {frozenset(pair) for pair in learned}
    targets = [target for state in states if not state.held_out for target in state.rdfs]
    known = {frozenset(target.pair) for target in targets}
    if not known & wanted:
        names = ", ".join("-".join(pair) for pair in learned)
        raise DiffPairError(f"potential: pairs has {names} learned, but no state that is fitted has a target for it")
    for target in targets:
        if isinstance(config.method, IterativeBoltzmann) and frozenset(target.pair) not in wanted:
            raise DiffPairError(
                f"update: ibi corrects each pair by its own g(r), but {target.label} is of a pair that potential: "
                f"pairs leaves out; leave that target out, too, or take another update"
            )
    free = ["-".join(pair) for pair in learned if frozenset(pair) not in known and _meet(states, *pair)]
    if free:
        warnings.warn(
            f"no state that is fitted has a target for {', '.join(free)}: the potential between these types follows "
            f"from the other targets alone (potential: pairs names the pairs that are learned, if not all of them are)",
            stacklevel=3,
        )


def _meet(states: list[State], a: str, b: str) -> bool:
    """Whether any state has a pair of particles of these types: a single particle of a type has none with itself."""
    return any(
        interacting_pairs(state.types, len(state.type_names), state.exclusions)[state.pair_types((a, b))] > 0
        for state in states
        if a in state.type_names and b in state.type_names
    )


def _build(config: FitConfig, section: StateSection) -> State:
    from diffpair.states import build_from_files, build_lattice

    targets = [_read_target(config, section, index) for index in range(len(section.targets))]
    values = config.parameters_of(section)
    parameters = tuple(values[name] for name in config.parameter_names)
    system: System = section.system
    if system.lattice is not None:
        lattice = system.lattice
        return build_lattice(
            section.name,
            n=lattice.n,
            density=lattice.number_density,
            types=lattice.types,
            masses=lattice.mass,
            temperature=section.temperature,
            targets=targets,
            held_out=section.held_out,
            seed=config.seed,
            parameters=parameters,
        )
    assert system.topology is not None
    return build_from_files(
        section.name,
        topology=system.topology,
        xml=system.xml,
        types=system.types,
        temperature=section.temperature,
        targets=targets,
        held_out=section.held_out,
        parameters=parameters,
        exclude_bonds=system.exclude_bonds,
        masses=system.masses,
    )


def _read_target(config: FitConfig, section: StateSection, index: int) -> Target:
    pressure, rdf, vacf = (getattr(section.targets[index], kind) for kind in ("pressure", "rdf", "vacf"))
    if pressure is not None:
        return PressureTarget(pressure.value, pressure.error)
    if vacf is not None:
        target = read_vacf(vacf.file, vacf.t_unit, vacf.choice)
        target.stride(config.sampling.timestep)
        return target
    assert rdf is not None
    r_range = None if rdf.range is None else (rdf.range[0], rdf.range[1])
    try:
        read = read_rdf(rdf.file, (rdf.pair[0], rdf.pair[1]), rdf.r_unit, r_range, rdf.bin_width, rdf.choice)
    except DiffPairError as error:
        raise DiffPairError(f"{error} (target {'-'.join(rdf.pair)} of state {section.name!r})") from None
    return dataclasses.replace(read, scale_error=rdf.scale_error)


def _with_types(state: State, names: tuple[str, ...]) -> State:
    """The same state, its types counted into ``names``."""
    from diffpair.states import NO_TYPE

    places = np.array([names.index(name) for name in state.type_names])
    types = np.where(state.types == NO_TYPE, NO_TYPE, places[state.types])
    return dataclasses.replace(state, type_names=names, types=types)
