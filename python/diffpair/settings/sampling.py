"""The sections ``sampling`` and ``production``: molecular dynamics of a fit, and of the run that judges it."""

from __future__ import annotations

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


class Sampling(Settings):
    """Molecular dynamics of one iteration, in steps. ``melt``: steps that turn a lattice into a liquid first.
    ``timestep``, ``friction``, ``platform``: of states that are not a Simulation, which has its own. ``adaptive``:
    gauss-newton's samplings grow as the residual falls; a sampling that drifts is followed by another. ``device``: of
    the sums that g(r) is made of, and of segments."""

    timestep: Time | None = None
    equilibration: CountOrZero = 500
    steps: Count = 1500
    every: Count = 10
    melt: CountOrZero = 2000
    adaptive: Flag = True
    friction: Rate = 1.0
    platform: Name = "auto"
    device: Device = "auto"

    @model_validator(mode="after")
    def _frames(self) -> Sampling:
        if self.every > self.steps:
            raise DiffPairError(f"every = {self.every} must not be above steps = {self.steps}")
        return self


class Production(Settings):
    """The run with the final table: it ends once the noise of the mean |g - target| is ``noise_target`` or less."""

    max_steps: Count = 100_000
    noise_target: PositiveNumber = 0.002
    every: Count | None = None
