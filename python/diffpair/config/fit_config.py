"""The fit config as a whole: the sections together, and what must hold between them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from diffpair.config.base import CountOrZero, Section
from diffpair.config.gradient import Fluctuation, Gradient
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
        first = self.states[0]
        for state in self.states[1:]:
            if set(state.parameters) != set(first.parameters):
                raise DiffPairError(
                    f"states: {state.name!r} gives the parameters {_listed(state.parameters)}, "
                    f"but {first.name!r} gives {_listed(first.parameters)}"
                )
        if isinstance(self.gradient, Fluctuation):
            return self
        if isinstance(self.method, IterativeBoltzmann):
            raise DiffPairError(
                f"update: ibi compares g(r) with its target and uses no gradient; leave gradient: "
                f"{self.gradient.method} out"
            )
        if isinstance(self.method, (GaussNewton, InverseMonteCarlo)):
            raise DiffPairError(
                f"update: {self.method.method} needs the whole Jacobian, which gradient: fluctuation gives and "
                f"{self.gradient.method} does not; use an update such as adam"
            )
        return self

    @property
    def method(self) -> GaussNewton | IterativeBoltzmann | InverseMonteCarlo | TorchOptimizer:
        """The update; if the file names none, the one that fits the gradient."""
        if self.update is not None:
            return self.update
        return GaussNewton() if isinstance(self.gradient, Fluctuation) else TorchOptimizer(method="adam")

    @property
    def starting_point(self) -> Start:
        """The start; if the file names none, Boltzmann inversion, or the given ones of an analytic form or module."""
        if self.start is not None:
            return self.start
        inverts = self.potential.form in ("bspline", "mlp", "sum")
        return Start(method="boltzmann-inversion" if inverts else "parameters")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the potential's global parameters, in the order in which they are passed."""
        return tuple(self.states[0].parameters)

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
