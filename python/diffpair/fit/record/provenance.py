"""Where a learned potential comes from, and which fit a checkpoint belongs to."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openmm
import torch

from diffpair._version import __version__
from diffpair.fit.setup import Setup, where
from diffpair.settings.fit_settings import FitSettings
from diffpair.states import State
from diffpair.tables import type_pairs


@dataclass(frozen=True)
class Origin:
    """The file that describes a fit, and its text; nothing for a fit that was set up in Python."""

    file: Path | None = None
    text: str = ""


def fingerprint(settings: FitSettings, states: Sequence[State]) -> str:
    """SHA-256 of what a fit cannot change on its way: not its length, nor the production after it.

    Files count by what they hold, so that neither their place nor the spelling of their paths matters. Of a Simulation
    neither positions nor box count: it has run since.
    """
    values = [_by_content(settings.content()), [_of_state(state) for state in states]]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def files_of(settings: FitSettings, states: Sequence[State]) -> set[Path]:
    """Every file that the fit was read from, absolute."""
    found = [*_paths(settings.model_dump())]
    for state in states:
        files = [t.file for t in state.rdfs] + [t.file for t in state.vacfs] + [t.file for t in state.distributions]
        found += [*state.files, *filter(None, files)]
    return {path.resolve() for path in found}


def file_hash(path: Path | None) -> str | None:
    """SHA-256 of a file's bytes; None where there is no file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path is not None and path.is_file() else None


def provenance(setup: Setup, iterations: int, digest: str, origin: Origin) -> dict[str, Any]:
    """The section `provenance` of a potential file: config, versions, states and targets of a fit."""
    pairs = type_pairs(setup.potential.types)
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": str(origin.file) if origin.file else None,
        "config_sha256": digest,
        "config_text": origin.text,
        "form": setup.settings.potential.form,
        "bonded": [
            {"types": list(term.kind), "form": term.form, "fixed": term.fixed} for term in setup.space.bonded.terms
        ],
        "learned_pairs": [list(pairs[row]) for row in setup.potential.learned],
        "seed": setup.settings.seed,
        "runs": where(setup.settings, setup.states),
        "iterations": iterations,
        "versions": {
            "diffpair": __version__,
            "openmm": openmm.version.version,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "states": [
            {"name": s.name, "temperature_K": s.temperature, "particles": s.num_atoms, "held_out": s.held_out}
            for s in setup.states
        ],
        "targets": [{"state": s.name, "pair": list(t.pair), **_file(t.file)} for s in setup.states for t in s.rdfs]
        + [
            {"state": s.name, t.coordinate.name: list(t.kind), **_file(t.file)}
            for s in setup.states
            for t in s.distributions
        ]
        + [{"state": s.name, "pressure_bar": t.value, "error_bar": t.error} for s in setup.states for t in s.pressures]
        + [{"state": s.name, "density": asdict(t)} for s in setup.states for t in s.densities],
    }


def _file(path: Path | None) -> dict[str, str | None]:
    return {"file": str(path) if path else None, "sha256": file_hash(path)}


def _of_state(state: State) -> Any:
    numbers = [state.types, state.masses, state.exclusions]
    if state.simulation is None:
        numbers += [state.positions, state.box]
    system = "" if state.base_system is None else openmm.XmlSerializer.serialize(state.base_system)
    system = system if state.script is None else state.script.text
    targets = [{k: v for k, v in vars(target).items() if k not in ("file", "r_unit")} for target in state.targets]
    return _by_content(
        [state.name, state.type_names, state.temperature, state.held_out, state.parameters, state.parameter_names,
         state.replicas, numbers, hashlib.sha256(system.encode()).hexdigest(), targets]
    )  # fmt: skip


def _by_content(value: Any) -> Any:
    if isinstance(value, Path):
        return file_hash(value)
    if isinstance(value, np.ndarray):
        return hashlib.sha256(repr(value.shape).encode() + np.ascontiguousarray(value).tobytes()).hexdigest()
    if isinstance(value, dict):
        return {str(key): _by_content(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_by_content(entry) for entry in value]
    return value


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, dict | list | tuple):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _paths(entry)
