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
    """Molecular dynamics of one iteration. Numbers of steps are numbers of time steps.

    A state that is a Simulation or a LAMMPS input script of the user's keeps its own time step, thermostat and
    platform.

    Args:
        timestep: time step, ps; needed for all other states.
        equilibration: steps after every change of the potential.
        steps: steps that an iteration samples.
        every: steps between frames, `steps` or fewer.
        melt: steps that turn a lattice into a liquid, once; 0 keeps a crystal.
        adaptive: samplings of `GaussNewton` grow as the residual falls, and one that drifts is repeated.
        friction: of the Langevin thermostat, 1/ps.
        platform: name of an OpenMM platform; "auto" takes the fastest that works.
        device: where the sums of g(r) and the segments are computed; "auto" takes a GPU that torch sees and that works,
            or else the processor.
        engine: the program that runs the states.
        command: what starts LAMMPS, such as "mpiexec -n 2 lmp", for `engine="lammps"`; by default "lmp".

    Raises:
        DiffPairError: a value out of range, or keys that do not go together.

    Examples:
        >>> diffpair.Sampling(timestep="5 fs", steps=5000)
        Sampling(timestep=0.005, steps=5000)
        >>> diffpair.Sampling(timestep="5 nm")
        Traceback (most recent call last):
            ...
        diffpair.errors.DiffPairError: Sampling: timestep: 'nm' is not a unit of time such as ps
    """

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
    """The run with the learned potential that judges it.

    It ends once the noise of all that targets are compared with is known and small.

    Args:
        max_steps: largest number of steps for each state.
        noise_target: the noise of the mean |g - target| that is small enough.
        every: steps between frames; by default 20, or that of `Sampling` if larger.

    Raises:
        DiffPairError: a value out of range.
    """

    max_steps: Count = 100_000
    noise_target: PositiveNumber = 0.002
    every: Count | None = None
