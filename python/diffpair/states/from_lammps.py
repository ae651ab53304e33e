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
    """See `State.from_lammps`."""
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
