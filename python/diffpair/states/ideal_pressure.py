"""rho kT of a state, what its pressure is compared with, and how well a target pressure is to be known."""

from __future__ import annotations

from diffpair.observables.molecules import Molecules
from diffpair.observables.pressure import BAR
from diffpair.states.state import State
from diffpair.states.system import with_molecules
from diffpair.targets import PressureTarget

FLOOR = 0.01  # of rho kT: how well a pressure is known that comes without an error


def moving_bodies(state: State) -> float:
    """What moves as a whole under a pressure: particles, or molecules where the pressure is that of molecules. LAMMPS'
    is one of atoms, a third of whose degrees of freedom count, those of the centre of all with them."""
    if state.script is not None:
        return (state.script.degrees + 3) / 3
    return Molecules.of_system(with_molecules(state)).num_moving if state.molecular_pressure else state.num_atoms


def ideal_pressure(state: State) -> float:
    """rho kT, bar, at the state's volume; rho of what moves as a whole."""
    return max(moving_bodies(state), 1) * BAR / state.beta / state.volume


def own_error(state: State, target: PressureTarget) -> float:
    """How well a target is known, bar: its error, or a part of rho kT where none is given."""
    return target.error or FLOOR * ideal_pressure(state)
