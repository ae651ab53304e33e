"""States that are a user's own LAMMPS input script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffpair.errors import DiffPairError
from diffpair.lammps.described import describe, excluded_factors
from diffpair.lammps.process import LammpsFailed
from diffpair.lammps.script import InputScript
from diffpair.states.excluded_peaks import warn_about_excluded_peaks
from diffpair.states.files import PathLike, numbered, positive_temperature
from diffpair.states.state import State
from diffpair.states.user_script import UserScript
from diffpair.states.validate import check_targets
from diffpair.systems.box import reduced
from diffpair.targets import Readable, Target, read_targets
from diffpair.targets.units import value_in


def build_from_lammps(
    script: PathLike,
    types: Mapping[str, str | None] | Mapping[int, str | None] | None = None,
    targets: Sequence[Target | Readable] = (),
    *,
    temperature: Any,
    name: str = "script",
    pressure: Any = None,
    command: str = "lmp",
    held_out: bool = False,
    parameters: Mapping[str, float] | None = None,
    exclude_bonds: int | None = None,
) -> State:
    """A state that is a LAMMPS input script of the user's: its forces, time step and thermostat stay.

    LAMMPS reads the script, from the script's folder, and is asked for the system. A fit has LAMMPS read it again, with
    the learned pair in it.

    Parameters
    ----------
    script: an input script of units real, metal or nano without commands that take steps; what only writes files is
        left out. It has fixes that move the atoms and hold their temperature.
    types: from the number of an atom type of LAMMPS or its label ("*" is every other type) to the type of the pair
        potential, or None for atoms that take no part in it; without it the script has the pair style diffpair, whose
        pair_coeff names them.
    targets: what was measured, such as `diffpair.Rdf`. temperature: K, what the script's thermostat holds.
    pressure: what its barostat holds (fix npt, press/langevin, ...), bar or with its unit; None at constant volume.
    command: what starts LAMMPS, such as "mpiexec -n 2 lmp".
    parameters: values of the potential's global parameters, by name.
    exclude_bonds: particles up to so many bonds apart, at most 3, do not feel the learned pair. Without it the script's
        `special_bonds` say so.

    Raises
    ------
    LammpsFailed: LAMMPS cannot be started, or does not take a command, whose place is told. DiffPairError: a script or
        a system that a fit cannot use, an atom type without a type of the potential.
    """
    where = f"state {name!r}"
    kelvin = positive_temperature(name, temperature)
    bar = None if pressure is None else float(value_in(pressure, "bar", "1 bar", f"{where}: pressure"))
    source = InputScript(Path(script))
    given = None if types is None else {str(key): kind for key, kind in types.items()}
    try:
        found, names = describe(source, command, given, exclude_bonds, bar is not None)
    except LammpsFailed as error:
        raise LammpsFailed(f"{where}: {error.what}", error.said) from None
    except DiffPairError as error:
        raise DiffPairError(f"{where}: {error}") from None
    kinds, numbers = numbered(
        [names[kind - 1] for kind in found.kinds], f"{where}: no atom of {source.file} has a type"
    )
    user = UserScript(
        source, command, tuple(names), excluded_factors(exclude_bonds), found.units, found.timestep, found.kinds,
        found.velocities, found.degrees, found.pairs_act, bar,
    )  # fmt: skip
    state = State(
        name=name,
        type_names=kinds,
        types=numbers,
        masses=found.masses,
        positions=found.positions,
        box=reduced(found.box),
        exclusions=found.excluded,
        temperature=kelvin,
        targets=read_targets(targets),
        held_out=held_out,
        parameters=tuple(float(value) for value in (parameters or {}).values()),
        parameter_names=tuple(parameters or {}),
        bonds=found.bonds,
        files=(source.file,),
        script=user,
    )
    check_targets(state)
    warn_about_excluded_peaks(state)
    return state
