"""The sections ``sampling`` and ``production``: molecular dynamics of a fit, and of the run that judges it."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import Count, CountOrZero, Flag, Name, PositiveNumber, Rate, Settings, Time, choices


def _device(value: object) -> object:
    if value not in DEVICES:
        raise DiffPairError(f"{value!r} is not available{choices(str(value), DEVICES)}")
    return value


DEVICES = ("auto", "cpu", "cuda")
Device = Annotated[Literal["auto", "cpu", "cuda"], BeforeValidator(_device)]


def _engine(value: object) -> object:
    if value not in ENGINES:
        raise DiffPairError(f"{value!r} is no engine{choices(str(value), ENGINES)}")
    return value


def _command(value: object) -> object:
    """Words of a shell that start LAMMPS; what it reads and writes is the fit's."""
    try:
        words = shlex.split(str(value))
    except ValueError as error:
        raise DiffPairError(f"{value!r} is no command: {str(error).lower()}") from None
    if not isinstance(value, str) or not words:
        raise DiffPairError(f"must start LAMMPS, such as 'mpiexec -n 2 lmp', and not be {value!r}")
    taken = next((word for word in words[1:] if word in _TAKEN), None)
    if taken is not None:
        raise DiffPairError(f"{value!r}: leave out {taken}, the fit itself talks to LAMMPS")
    return value


ENGINES = ("openmm", "lammps")
_TAKEN = ("-in", "-i", "-screen", "-sc", "-partition", "-p", "-help", "-h")
Command = Annotated[str, BeforeValidator(_command)]


class Sampling(Settings):
    """Molecular dynamics of one iteration, in steps. ``melt``: steps that turn a lattice into a liquid first.
    ``timestep``, ``friction``, ``platform``: of states that are not a Simulation, which has its own. ``adaptive``:
    gauss-newton's samplings grow as the residual falls; a sampling that drifts is followed by another. ``device``: of
    the sums that g(r) is made of, and of segments. ``engine``: the program that runs states which are not a Simulation.
    ``command``: what starts LAMMPS."""

    timestep: Time | None = None
    equilibration: CountOrZero = 500
    steps: Count = 1500
    every: Count = 10
    melt: CountOrZero = 2000
    adaptive: Flag = True
    friction: Rate = 1.0
    platform: Name = "auto"
    device: Device = "auto"
    engine: Annotated[Literal["openmm", "lammps"], BeforeValidator(_engine)] = "openmm"
    command: Command | None = None

    @property
    def lammps(self) -> str | None:
        """What starts LAMMPS, where it runs the states."""
        return None if self.engine == "openmm" else self.command or "lmp"

    @model_validator(mode="after")
    def _frames(self) -> Sampling:
        if self.every > self.steps:
            raise DiffPairError(f"every = {self.every} must not be above steps = {self.steps}")
        if self.engine == "openmm" and self.command is not None:
            raise DiffPairError("'command' starts LAMMPS and goes with engine: lammps")
        if self.engine == "lammps" and self.platform != "auto":
            raise DiffPairError("'platform' is one of OpenMM and does not go with engine: lammps")
        return self


class Production(Settings):
    """The run with the final table: it ends once the noise of the mean |g - target| is ``noise_target`` or less."""

    max_steps: Count = 100_000
    noise_target: PositiveNumber = 0.002
    every: Count | None = None
