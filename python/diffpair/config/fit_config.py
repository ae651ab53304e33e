"""The fit config as a whole: the settings of a fit and the section ``states``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, model_validator

from diffpair.config.messages import sentence
from diffpair.config.source import Source
from diffpair.config.states import StateSection
from diffpair.errors import DiffPairError
from diffpair.settings.base import Time
from diffpair.settings.fit_settings import FitSettings, Outline, check_together
from diffpair.settings.sampling import Sampling
from diffpair.systems.bonded_paths import Kind, canonical

_KINDS = "kinds of states"  # in the context of a validation


class SamplingSection(Sampling):
    """In a file the time step is given, unless all states are LAMMPS input scripts, which have their own."""

    timestep: Time | None = None

    @model_validator(mode="after")
    def _of_scripts(self, info: ValidationInfo) -> SamplingSection:
        scripts, others = (info.context or {}).get(_KINDS, (0, 1))
        if scripts and self.engine != "lammps":
            raise DiffPairError("a state whose system is a 'script' runs in LAMMPS: give engine: lammps")
        if others and self.timestep is None:
            raise DiffPairError("the key 'timestep' is missing")
        for name in ("timestep", "friction"):
            if not others and name in self.model_fields_set:
                raise DiffPairError(f"{name!r} is what the LAMMPS scripts of the states say: leave it out")
        return self


class FitConfig(FitSettings):
    """A checked fit config; paths are resolved."""

    states: Annotated[list[StateSection], Field(min_length=1)]
    sampling: SamplingSection

    _source: Source | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _kinds(cls, data: Any, info: ValidationInfo) -> Any:
        """What `sampling` has to know of the states: how many are scripts, and how many are not."""
        states = data.get("states") if isinstance(data, dict) else None
        if info.context is not None and isinstance(states, list):
            systems = [state.get("system") for state in states if isinstance(state, dict)]
            scripts = sum(isinstance(system, dict) and "script" in system for system in systems)
            info.context[_KINDS] = scripts, len(states) - scripts
        return data

    @model_validator(mode="after")
    def _together(self) -> FitConfig:
        check_together(self, [_outline(state) for state in self.states])
        return self

    @property
    def settings(self) -> FitSettings:
        """Everything but the states."""
        given = {name: getattr(self, name) for name in FitSettings.model_fields}
        return FitSettings.model_construct(**{**given, "sampling": Sampling(**self.sampling.model_dump())})

    @property
    def file(self) -> Path | None:
        """The file it was read from."""
        return self._source.path if self._source else None

    @property
    def text(self) -> str:
        """The text of that file, for provenance."""
        return self._source.text if self._source else ""


def _outline(state: StateSection) -> Outline:
    rdfs = [target.rdf for target in state.targets if target.rdf]
    kinds = ("pressure", "density", "vacf")
    pressures, densities, vacfs = (sum(getattr(t, kind) is not None for t in state.targets) for kind in kinds)
    return Outline(
        state.name, state.held_out, state.temperature, tuple(state.parameters), len(rdfs), pressures, densities, vacfs,
        [rdf.scale_error for rdf in rdfs], _distributions(state),
    )  # fmt: skip


def _distributions(state: StateSection) -> list[Kind]:
    """Kinds of bonded terms whose distributions are targets."""
    found = [target.bond or target.angle or target.dihedral for target in state.targets]
    return [canonical(one.types) for one in found if one is not None]


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
