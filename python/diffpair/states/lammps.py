"""What LAMMPS can simulate of states, and what a fit can learn of those that are input scripts of it."""

from __future__ import annotations

from diffpair.errors import DiffPairError
from diffpair.states.state import State


def check_for_lammps(state: State) -> None:
    """Refuse a state that is more than particles under the pair potential at constant volume (DiffPairError)."""
    if state.barostat is not None:
        what = "a barostat, and a fit in LAMMPS is one of constant volume"
    elif state.base_system is not None:
        what = "further forces from a System, which only OpenMM reads"
    elif state.bonded:
        what = "bonds, angles or dihedrals whose potential is learned, which are OpenMM forces"
    elif len(state.exclusions):
        what = "particles that are excluded from the potential, and pair_style diffpair knows all pairs only"
    elif not state.complete:
        what = "atoms without a type, which feel no force there"
    else:
        return
    raise DiffPairError(f"state {state.name!r} cannot run in LAMMPS: it has {what}; sampling: engine: openmm runs it")


def check_script(state: State) -> None:
    """Refuse of a state that is a LAMMPS input script what only OpenMM does (DiffPairError)."""
    if state.bonded:
        raise DiffPairError(
            f"state {state.name!r} is a LAMMPS input script and cannot have bonds, angles or dihedrals whose potential "
            f"is learned: those of a script are its own"
        )
