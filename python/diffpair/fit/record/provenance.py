"""Where a learned potential comes from, and which fit a checkpoint belongs to."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openmm
import torch

from diffpair.config import FitConfig
from diffpair.fit.setup import Setup
from diffpair.tables import type_pairs


def config_hash(config: FitConfig) -> str:
    """SHA-256 of what a fit cannot change on its way: not its length, nor the production after it.

    Files count by what they hold, so that neither their place nor the spelling of their paths matters.
    """
    values = _by_content(config.model_dump(exclude={"production": True, "update": {"iterations"}}))
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def config_files(config: FitConfig) -> set[Path]:
    """Every file that the config names, absolute."""
    return {path.resolve() for path in _paths(config.model_dump())}


def file_hash(path: Path | None) -> str | None:
    """SHA-256 of a file's bytes; None where there is no file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path is not None and path.is_file() else None


def provenance(setup: Setup, iterations: int, digest: str) -> dict[str, Any]:
    """The section `provenance` of a potential file: config, versions, states and targets of a fit."""
    from diffpair import __version__

    config, pairs = setup.config, type_pairs(setup.potential.types)
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": str(config.file) if config.file else None,
        "config_sha256": digest,
        "config_text": config.text,
        "form": config.potential.form,
        "learned_pairs": [list(pairs[row]) for row in setup.potential.learned],
        "seed": config.seed,
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
        "targets": [
            {
                "state": s.name,
                "pair": list(t.pair),
                "file": str(t.file) if t.file else None,
                "sha256": file_hash(t.file),
            }
            for s in setup.states
            for t in s.rdfs
        ]
        + [{"state": s.name, "pressure_bar": t.value, "error_bar": t.error} for s in setup.states for t in s.pressures],
    }


def _by_content(value: Any) -> Any:
    if isinstance(value, Path):
        return file_hash(value)
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
