"""The fit config as a whole: the sections together, and what must hold between them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from diffpair.config.base import CountOrZero, Section
from diffpair.config.gradient import BATCHES, Adjoint, Fluctuation, Gradient
from diffpair.config.messages import sentence
from diffpair.config.potentials import Potential
from diffpair.config.sampling import Production, Sampling
from diffpair.config.source import Source
from diffpair.config.start import Start, StartChoice
from diffpair.config.states import State
from diffpair.config.update import GaussNewton, InverseMonteCarlo, IterativeBoltzmann, TorchOptimizer, Update
from diffpair.errors import DiffPairError


class FitConfig(Section):
    """A checked fit config. All values are in nm, ps, K, amu and kJ/mol; paths are resolved."""

    potential: Potential
    states: Annotated[list[State], Field(min_length=1)]
    sampling: Sampling
    production: Production = Production()
    gradient: Gradient = Fluctuation()
    update: Update | None = None
    start: StartChoice | None = None
    seed: CountOrZero = 1

    _source: Source | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _together(self) -> FitConfig:
        names = [state.name for state in self.states]
        for name in names:
            if names.count(name) > 1:
                raise DiffPairError(f"states: two states are named {name!r}")
        if all(state.held_out for state in self.states):
            raise DiffPairError("states: every state is held out, so nothing can be fitted")
        if not any(target.rdf for state in self.states if not state.held_out for target in state.targets):
            raise DiffPairError(
                "states: no state that is fitted has an rdf as a target, and without one nothing tells where the "
                "potential's core is"
            )
        if self.potential.form == "energy_entropy":
            self._check_temperatures()
        first = self.states[0]
        for state in self.states[1:]:
            if set(state.parameters) != set(first.parameters):
                raise DiffPairError(
                    f"states: {state.name!r} gives the parameters {_listed(state.parameters)}, "
                    f"but {first.name!r} gives {_listed(first.parameters)}"
                )
        if isinstance(self.method, IterativeBoltzmann) and any(
            target.pressure for state in self.states if not state.held_out for target in state.targets
        ):
            raise DiffPairError("update: ibi knows g(r) alone; a pressure as a target needs another update")
        if not isinstance(self.method, GaussNewton) and any(
            target.rdf and target.rdf.scale_error for state in self.states for target in state.targets
        ):
            raise DiffPairError(
                f"update: {self.method.method} takes every target's scale as it is; an rdf with a scale_error needs "
                f"gauss-newton"
            )
        learns = isinstance(self.gradient, Adjoint) and self.gradient.learn_friction is not None
        moving = any(target.vacf for state in self.states if not state.held_out for target in state.targets)
        if moving and not learns:
            raise DiffPairError(
                "states: a vacf as a target needs gradient: {method: adjoint, learn_friction: 1 /ps}, which starts the "
                "friction there and learns it"
            )
        for state in self.states:
            if not state.held_out and all(target.vacf for target in state.targets):
                raise DiffPairError(
                    f"states: {state.name!r} is fitted but has a vacf alone, which tells nothing of the potential; "
                    f"give it an rdf or a pressure, too"
                )
        if learns and not moving:
            raise DiffPairError("gradient: learn_friction needs a vacf as a target of a state that is fitted")
        if isinstance(self.gradient, Fluctuation):
            return self
        if isinstance(self.method, IterativeBoltzmann):
            raise DiffPairError(
                f"update: ibi compares g(r) with its target and uses no gradient; leave gradient: "
                f"{self.gradient.method} out"
            )
        if isinstance(self.method, GaussNewton) and isinstance(self.gradient, Adjoint):
            if self.gradient.segments < BATCHES:
                raise DiffPairError(
                    f"gradient: gauss-newton learns the noise of the adjoint's Jacobian from {BATCHES} or more "
                    f"segments, not from {self.gradient.segments}"
                )
            return self
        if isinstance(self.method, (GaussNewton, InverseMonteCarlo)):
            raise DiffPairError(
                f"update: {self.method.method} needs the whole Jacobian, which gradient: fluctuation gives and "
                f"{self.gradient.method} does not; use an update such as adam"
            )
        return self

    def _check_temperatures(self) -> None:
        for state in self.states:
            if state.parameters:
                raise DiffPairError(
                    f"states: {state.name!r} gives the parameters {_listed(state.parameters)}, but the form "
                    f"energy_entropy takes the temperature of the state, and no other parameter"
                )
        if len({state.temperature for state in self.states if not state.held_out}) < 2:
            raise DiffPairError(
                "states: the form energy_entropy needs fitted states of two or more temperatures; one does not tell "
                "energy and entropy apart"
            )

    @property
    def method(self) -> GaussNewton | IterativeBoltzmann | InverseMonteCarlo | TorchOptimizer:
        """The update; if the file names none, the one that fits the gradient."""
        if self.update is not None:
            return self.update
        enough = isinstance(self.gradient, Adjoint) and self.gradient.segments >= BATCHES
        return GaussNewton() if enough or isinstance(self.gradient, Fluctuation) else TorchOptimizer(method="adam")

    @property
    def starting_point(self) -> Start:
        """The start; if the file names none, an inversion, or the given parameters of an analytic form or module."""
        if self.start is not None:
            return self.start
        form = self.potential.form
        inverts = form in ("bspline", "mlp", "sum") or (
            form == "energy_entropy" and self.potential.parts[0].form in ("bspline", "mlp")
        )
        return Start(method="auto" if inverts else "parameters")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the potential's global parameters, in the order in which they are passed."""
        return tuple(self.parameters_of(self.states[0]))

    def parameters_of(self, state: State) -> dict[str, float]:
        """Values of the potential's global parameters at a state."""
        if self.potential.form == "energy_entropy":
            return {"temperature": state.temperature}
        return state.parameters

    @property
    def file(self) -> Path | None:
        """The file it was read from."""
        return self._source.path if self._source else None

    @property
    def text(self) -> str:
        """The text of that file, for provenance."""
        return self._source.text if self._source else ""


def load_config(path: str | os.PathLike[str]) -> FitConfig:
    """Read and check a fit config.

    Relative paths in it count from its folder. Raises DiffPairError: one sentence with file, line, key and reason.
    """
    source = Source(Path(path))
    try:
        config = FitConfig.model_validate(source.data, context={"folder": source.path.parent})
    except ValidationError as error:
        raise DiffPairError(sentence(error, source)) from None
    config._source = source
    return config


def _listed(parameters: dict[str, float]) -> str:
    return ", ".join(parameters) or "none"
