"""The section ``gradient``: how dL/dc is found."""

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

from diffpair.errors import DiffPairError
from diffpair.settings.base import Count, CountOrAuto, Fraction, Rate, Settings, choices
from diffpair.settings.choose import choose_method, method_of

BATCHES = 4  # of segments whose spread tells the noise of a Jacobian made of them


class Fluctuation(Settings):
    """Gradient from equilibrium fluctuations: d<A>/dc = <dA/dc> - beta cov(A, dU/dc). It gives the whole Jacobian."""

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


class Adjoint(Settings):
    """Gradient through short trajectories that start from sampled frames (DiffSim, arXiv 2209.07679).

    Args:
        segments: number of trajectories; 4 or more for `GaussNewton`.
        steps: of each, a multiple of `every`; "auto" has an audit at the start of the fit choose it, and `segments`
            where that is not given.
        every: steps between the frames of a segment.
        modes: for `GaussNewton`, so many smooth vectors of every RDF give the Jacobian, one backward pass each.
        learn_friction: start of the Langevin friction, 1/ps, which is then learned from the targets of kind `Vacf`;
            states are sampled with it, too. None leaves the friction as it is.
        integrator: of the segments, at the temperature of the state.
        friction: of "langevin-middle", 1/ps.
        collision_frequency: of "nose-hoover", 1/ps.
        chain_length: of "nose-hoover", number of beads.

    Raises:
        DiffPairError: a value out of range, or a key of another integrator.
    """

    method: Literal["adjoint"] = "adjoint"
    segments: Count = 16
    steps: CountOrAuto = 50
    every: Count = 5
    modes: Count = 48
    learn_friction: Rate | None = None
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
        """What other integrators would want, or modes as they are anyway, is not part of a config: neither of its hash
        nor of provenance."""
        foreign = {key for owner, keys in INTEGRATORS.items() if owner != self.integrator for key in keys}
        if self.modes == type(self).model_fields["modes"].default:
            foreign.add("modes")
        if self.learn_friction is None:
            foreign.add("learn_friction")
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
        return self.model_dump(exclude={"method", "segments", "steps", "modes", "learn_friction"})

    def spelled(self, segments: int, steps: int) -> str:
        """This section as a config spells it.

        Args:
            segments: number of segments to name.
            steps: steps of each to name.

        Returns:
            A mapping of YAML in one line.
        """
        text = f"method: adjoint, segments: {segments}, steps: {steps}, every: {self.every}"
        if "modes" in self.model_dump():
            text += f", modes: {self.modes}"
        if self.learn_friction is not None:
            text += f", learn_friction: {self.learn_friction:.12g} ps^-1"
        if self.integrator != "verlet":
            text += f", integrator: {self.integrator}"
        for key in INTEGRATORS[self.integrator]:
            value = getattr(self, key)
            text += f", {key}: {value}" if isinstance(value, int) else f", {key}: {value:.12g} ps^-1"
        return f"{{{text}}}"


class Reweighting(Settings):
    """Gradient of reweighted frames: several updates per sampling (DiffTRe, Thaler and Zavadlav, Nat. Commun. 12, 6884
    (2021)).

    Args:
        min_effective: smallest effective number of frames, as a part of all, above 0 and up to 1; below it frames are
            sampled anew.
        updates: largest number per sampling.

    Raises:
        DiffPairError: a value out of range.
    """

    method: Literal["reweighting"] = "reweighting"
    min_effective: Fraction = 0.1
    updates: Count = 100


GRADIENTS = ("fluctuation", "adjoint", "reweighting")
Gradient = Annotated[
    Annotated[Fluctuation, Tag("fluctuation")]
    | Annotated[Adjoint, Tag("adjoint")]
    | Annotated[Reweighting, Tag("reweighting")],
    Discriminator(method_of),
    choose_method(GRADIENTS),
]
