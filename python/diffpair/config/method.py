"""The sections ``sampling``, ``production``, ``gradient``, ``update`` and ``start``: how the fit proceeds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from diffpair.config.base import (
    Count,
    CountOrAuto,
    CountOrZero,
    File,
    Fraction,
    Name,
    NonNegativeNumber,
    PositiveNumber,
    Rate,
    Section,
    Time,
    choices,
)
from diffpair.errors import DiffPairError


class Sampling(Section):
    """Molecular dynamics of one iteration, in steps. ``melt``: steps that turn a lattice into a liquid first."""

    timestep: Time
    equilibration: CountOrZero = 500
    steps: Count = 1500
    every: Count = 10
    melt: CountOrZero = 2000
    friction: Rate = 1.0
    platform: Name | None = None

    @model_validator(mode="after")
    def _frames(self) -> Sampling:
        if self.every > self.steps:
            raise DiffPairError(f"every = {self.every} must not be above steps = {self.steps}")
        return self


class Production(Section):
    """The run with the final table: it ends once the noise of the mean |g - target| is ``noise_target`` or less."""

    max_steps: Count = 100_000
    noise_target: PositiveNumber = 0.002
    every: Count | None = None


class Fluctuation(Section):
    """Gradient from equilibrium fluctuations; gives the whole Jacobian."""

    method: Literal["fluctuation"] = "fluctuation"


def _integrator(value: object) -> object:
    if not isinstance(value, str) or value not in INTEGRATORS:
        raise DiffPairError(f"{value!r} is not available{choices(str(value), INTEGRATORS)}")
    return value


# Of the segments; with the keys that belong to each.
INTEGRATORS: dict[str, tuple[str, ...]] = {
    "verlet": (),
    "langevin-middle": ("friction",),
    "nose-hoover": ("collision_frequency", "chain_length"),
}
Integrator = Annotated[Literal["verlet", "langevin-middle", "nose-hoover"], BeforeValidator(_integrator)]


class Adjoint(Section):
    """Gradient through ``segments`` short trajectories of ``steps`` steps each, measured ``every`` so many steps.

    ``steps: auto``: an audit at the start of the fit chooses ``steps``, and ``segments`` where that is not given.
    ``integrator``: of the segments, with its own keys beside it; the temperature is the state's.
    """

    method: Literal["adjoint"] = "adjoint"
    segments: Count = 16
    steps: CountOrAuto = 50
    every: Count = 5
    integrator: Integrator = "verlet"
    friction: Rate = 1.0
    collision_frequency: Rate = 1.0
    chain_length: Count = 5

    @model_validator(mode="after")
    def _own_keys(self) -> Adjoint:
        for owner, keys in INTEGRATORS.items():
            for key in keys:
                if owner != self.integrator and key in self.model_fields_set:
                    text = f"{key} is an option of {owner}, not of {self.integrator}"
                    raise PydanticCustomError("unknown_key", "{text}", {"text": text, "key": key})
        return self

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What other integrators would want is not part of a config: neither of its hash nor of provenance."""
        foreign = {key for owner, keys in INTEGRATORS.items() if owner != self.integrator for key in keys}
        return {key: value for key, value in serialize(self).items() if key not in foreign}

    @model_validator(mode="after")
    def _frames(self) -> Adjoint:
        if self.steps != "auto" and self.steps % self.every:
            raise DiffPairError(f"steps = {self.steps} must be a multiple of every = {self.every}")
        return self

    @property
    def given_segments(self) -> int | None:
        """``segments`` where the file gives it."""
        return self.segments if "segments" in self.model_fields_set else None

    @property
    def segment_keys(self) -> dict[str, Any]:
        """Everything but how many segments of which length."""
        return self.model_dump(exclude={"method", "segments", "steps"})

    def spelled(self, segments: int, steps: int) -> str:
        """This section with such segments, as a config spells it."""
        text = f"method: adjoint, segments: {segments}, steps: {steps}, every: {self.every}"
        if self.integrator != "verlet":
            text += f", integrator: {self.integrator}"
        for key in INTEGRATORS[self.integrator]:
            value = getattr(self, key)
            text += f", {key}: {value}" if isinstance(value, int) else f", {key}: {value:.12g} ps^-1"
        return f"{{{text}}}"


class Reweighting(Section):
    """Gradient of reweighted frames: up to ``updates`` updates per sampling, as long as the effective number of frames
    is ``min_effective`` of all frames or more."""

    method: Literal["reweighting"] = "reweighting"
    min_effective: Fraction = 0.1
    updates: Count = 100


class GaussNewton(Section):
    """Damped Gauss-Newton on the fluctuation Jacobian."""

    method: Literal["gauss-newton"] = "gauss-newton"
    iterations: Count = 10
    damping: PositiveNumber | None = None
    smoothness: PositiveNumber | None = None


class TorchOptimizer(Section):
    """A first-order optimizer of torch.optim."""

    method: Literal["adam", "adamw", "nadam", "radam", "adagrad", "rmsprop", "sgd"]
    iterations: Count = 100
    learning_rate: PositiveNumber = 2e-3
    momentum: NonNegativeNumber | None = None

    @model_validator(mode="after")
    def _momentum(self) -> TorchOptimizer:
        if self.momentum is not None and self.method not in ("sgd", "rmsprop"):
            raise DiffPairError(f"momentum is an option of sgd and rmsprop, not of {self.method}")
        return self


GRADIENTS = ("fluctuation", "adjoint", "reweighting")
TORCH_OPTIMIZERS = ("adam", "adamw", "nadam", "radam", "adagrad", "rmsprop", "sgd")
UPDATES = ("gauss-newton", *TORCH_OPTIMIZERS)


def _choose(available: tuple[str, ...]) -> BeforeValidator:
    """Normalise {method: m, ...}, {m: {...}} and plain m to the first of them, and refuse unknown methods."""

    def check(value: Any) -> Any:
        if isinstance(value, str):
            value = {"method": value}
        if isinstance(value, dict) and "method" not in value and len(value) == 1:
            method, options = next(iter(value.items()))
            if method in available and (options is None or isinstance(options, dict)):
                value = {**(options or {}), "method": method}
        if isinstance(value, Section):
            return value
        if not isinstance(value, dict) or "method" not in value:
            raise DiffPairError(f"must hold the key 'method', one of {', '.join(available)}")
        if value["method"] not in available:
            raise DiffPairError(
                f"method: {value['method']!r} is not available{choices(str(value['method']), available)}"
            )
        return value

    return BeforeValidator(check)


def _method(value: Any) -> str:
    return str(value["method"] if isinstance(value, dict) else value.method)


def _update_kind(value: Any) -> str:
    return "gauss-newton" if _method(value) == "gauss-newton" else "torch"


Gradient = Annotated[
    Annotated[Fluctuation, Tag("fluctuation")]
    | Annotated[Adjoint, Tag("adjoint")]
    | Annotated[Reweighting, Tag("reweighting")],
    Discriminator(_method),
    _choose(GRADIENTS),
]
Update = Annotated[
    Annotated[GaussNewton, Tag("gauss-newton")] | Annotated[TorchOptimizer, Tag("torch")],
    Discriminator(_update_kind),
    _choose(UPDATES),
]


class Start(Section):
    """Where the fit starts: Boltzmann inversion of the targets, the potential's own parameters, or a potential file."""

    method: Literal["boltzmann-inversion", "parameters", "file"]
    file: File | None = None


def _start(value: Any) -> Any:
    if isinstance(value, str):
        return (
            {"method": value} if value in ("boltzmann-inversion", "parameters") else {"method": "file", "file": value}
        )
    if isinstance(value, dict) and set(value) == {"file"}:
        return {"method": "file", "file": value["file"]}
    if isinstance(value, Start):
        return value
    raise DiffPairError(f"must be 'boltzmann-inversion', 'parameters' or the path of a potential file, not {value!r}")


StartChoice = Annotated[Start, BeforeValidator(_start)]
