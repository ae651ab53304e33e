"""What is validated: a table for each state of a config."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffpair.config import build_states, load_config
from diffpair.errors import DiffPairError
from diffpair.report.files import POTENTIAL, SUMMARY
from diffpair.settings.fit_settings import FitSettings
from diffpair.states import State
from diffpair.tables import PairTable, read_document


@dataclass(frozen=True)
class Subject:
    """potential: file, or folder of a fit. config: file. states: of the config, those held out, too. tables: by name of
    the state. friction: 1/ps, where the fit has learned it. notes: what is to be said beforehand."""

    potential: Path
    config: Path
    settings: FitSettings
    states: list[State]
    tables: dict[str, PairTable]
    friction: float | None = None
    notes: list[str] = field(default_factory=list)


def subject_of(potential: Path, config: Path | None) -> Subject:
    """What a potential file or the folder of a fit holds, with the states of a config.

    Args:
        config: of the states; None: the one that the fit was made by, as the potential file tells.

    Raises
    ------
    DiffPairError: a file is missing or bad, or they do not go together.
    """
    folder = potential if potential.is_dir() else None
    if folder is not None and not (folder / POTENTIAL).is_file():
        raise DiffPairError(f"{folder}: holds no {POTENTIAL}, so it is not the folder of a fit")
    file = potential if folder is None else folder / POTENTIAL
    origin, notes = read_document(file)["provenance"], list[str]()
    path = config or _config_of(file, origin)
    read = load_config(path)
    if config is None and read.text != origin.get("config_text"):
        notes.append(f"{path} has changed since the fit")
    states = build_states(read)
    tables = dict.fromkeys([state.name for state in states], PairTable.load(file))
    friction = None
    if folder is not None and (folder / SUMMARY).is_file():
        summary = _summary(folder / SUMMARY)
        for name, other in summary.get("files", {}).get("potentials", {}).items():
            if name in tables:
                tables[name] = PairTable.load(folder / str(other))
        friction = summary.get("gradient", {}).get("friction", {}).get("value")
    for state in states:
        table = tables[state.name]
        if table.entropy is not None:
            tables[state.name] = table.at_temperature(state.temperature)
    return Subject(potential, path, read.settings, states, tables, friction, notes)


def _config_of(file: Path, origin: dict[str, Any]) -> Path:
    """The config that a potential file names. Raises DiffPairError where there is none."""
    named = origin.get("config")
    if not named:
        raise DiffPairError(f"{file}: names no config: give one with the states to try it in, by --config")
    if not Path(named).is_file():
        raise DiffPairError(f"{file}: its config {named} is not here: say where it is, by --config")
    return Path(named)


def _summary(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(document.get(key, {}), dict) for key in ("files", "gradient")):
            raise ValueError("its sections are not those of a summary")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise DiffPairError(f"{path}: cannot be read: {error}") from None
    return dict(document)
