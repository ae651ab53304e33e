"""States that are a user's own Simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import openmm
from openmm import app, unit

from diffpair.errors import DiffPairError
from diffpair.states.excluded_peaks import warn_about_excluded_peaks
from diffpair.states.exclusions import Pairs, excluded_pairs, sorted_pairs
from diffpair.states.files import numbered, type_of
from diffpair.states.state import State
from diffpair.states.structure import Atom
from diffpair.states.system_checks import check_system
from diffpair.states.user_simulation import UserSimulation
from diffpair.states.validate import check_targets
from diffpair.systems.thermostat import temperature_of, velocity_factor
from diffpair.tables.pair_table import INERT
from diffpair.targets import Readable, Target, read_targets
from diffpair.targets.units import value_in

Types = Mapping[str, str | None] | Callable[[Any], str | None]


def build_from_simulation(
    simulation: app.Simulation,
    types: Types | None = None,
    targets: Sequence[Target | Readable] = (),
    *,
    name: str = "simulation",
    temperature: Any = None,
    held_out: bool = False,
    parameters: Mapping[str, float] | None = None,
    exclude_bonds: int | None = None,
) -> State:
    """See `State.from_simulation`."""
    user = UserSimulation(simulation, name)
    positions, box = _look(user)
    given = None if temperature is None else value_in(temperature, "K", "300 K", f"state {name!r}: temperature")
    kelvin = temperature_of(simulation, name, given)
    system = user.base_system()
    check_system(f"state {name!r}", system, positions, box, kelvin, live=True)
    type_names, numbers = numbered(_names(user, _atoms(user), types), f"state {name!r}: no atom has a type")
    bonds = [(bond[0].index, bond[1].index) for bond in simulation.topology.bonds()]
    state = State(
        name=name,
        type_names=type_names,
        types=numbers,
        masses=np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())]),
        positions=positions,
        box=box,
        exclusions=_exclusions(user, system, bonds, exclude_bonds),
        temperature=kelvin,
        targets=read_targets(targets),
        held_out=held_out,
        parameters=tuple(float(value) for value in (parameters or {}).values()),
        parameter_names=tuple(parameters or {}),
        base_system=system,
        simulation=user,
        bonds=np.array(bonds, dtype=np.int64).reshape(-1, 2),
    )
    check_targets(state)
    _check_velocities(state, simulation.integrator)
    warn_about_excluded_peaks(state)
    return state


def _look(user: UserSimulation) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Positions [N, 3] and box [3, 3] in nm. Raises DiffPairError for a Simulation that cannot go on."""
    name = user.name
    try:
        state = user.context.getState(positions=True, velocities=True)
        positions = np.array(state.getPositions(asNumpy=True)._value)
        velocities = state.getVelocities(asNumpy=True)._value
        what = "" if np.isfinite(positions).all() and np.isfinite(velocities).all() else "a coordinate"
        if not what and not np.isfinite(user.context.getState(energy=True).getPotentialEnergy()._value):
            what = "its potential energy"
    except openmm.OpenMMException as error:
        raise DiffPairError(f"state {name!r}: the Simulation cannot run as it is: {error}") from None
    if what:
        raise DiffPairError(
            f"state {name!r}: the Simulation is broken already: {what} is not a number; minimise the energy, or start "
            f"from another structure"
        )
    system, topology = user.simulation.system, user.simulation.topology
    if not system.usesPeriodicBoundaryConditions() and topology.getPeriodicBoxVectors() is None:
        raise DiffPairError(
            f"state {name!r}: neither the System nor the topology is periodic, but g(r) and the potential need a "
            f"periodic box"
        )
    return positions, np.array(state.getPeriodicBoxVectors(asNumpy=True)._value)


def _atoms(user: UserSimulation) -> list[Any]:
    """Of the topology, one for every particle. Raises DiffPairError."""
    atoms, count = list(user.simulation.topology.atoms()), user.simulation.system.getNumParticles()
    if len(atoms) != count:
        raise DiffPairError(
            f"state {user.name!r}: the topology has {len(atoms)} atoms, but the System {count} particles"
        )
    return atoms


def _check_velocities(state: State, integrator: openmm.Integrator) -> None:
    """Raises DiffPairError where a target needs velocities, and there are none."""
    if state.vacfs and velocity_factor(integrator) != 1:
        raise DiffPairError(
            f"state {state.name!r} has a vacf as a target, but Brownian dynamics has no velocities: use an integrator "
            f"such as LangevinMiddleIntegrator"
        )


def _names(user: UserSimulation, atoms: Sequence[Any], types: Types | None) -> list[str | None]:
    """The type of every atom. Raises DiffPairError where those of the user's own force are others."""
    where = f"state {user.name!r}"
    own = None
    if (force := user.force) is not None:
        held = [force.getTypeName(force.getParticleType(i)) for i in range(len(atoms))]
        own = [None if kind == INERT else kind for kind in held]
    if types is None and own is not None:
        return own
    if callable(types):
        names = [types(atom) for atom in atoms]
    else:
        names = [type_of(_atom(atom), types, atom.index, where) for atom in atoms]
    for atom, name in zip(atoms, names, strict=True):
        if name is not None and (not isinstance(name, str) or not name):
            raise DiffPairError(
                f"{where}: `types` gives atom {atom.index} ({atom.residue.name}-{atom.name}) the type {name!r}, which "
                f"is neither a name nor None"
            )
    if own is not None and user.given_force is not None and names != own:
        index = next(i for i, pair in enumerate(zip(names, own, strict=True)) if pair[0] != pair[1])
        raise DiffPairError(
            f"{where}: atom {index} has the type {names[index]} by `types`, but {own[index]} in the System's "
            f"PairTableForce: leave `types` out, or remove the force"
        )
    return names


def _atom(atom: Any) -> Atom:
    element = atom.element
    mass = 0.0 if element is None else element.mass.value_in_unit(unit.dalton)
    return Atom(atom.residue.name, atom.name, "" if element is None else element.symbol, mass)


def _exclusions(
    user: UserSimulation, system: openmm.System, bonds: list[tuple[int, int]], distance: int | None
) -> Pairs:
    """Those of the System's PairTableForce where there is one."""
    if (force := user.force) is not None and distance is None:
        return sorted_pairs(force.getExclusionParticles(k) for k in range(force.getNumExclusions()))
    return excluded_pairs(f"state {user.name!r}", system, bonds, distance)
