"""The files of a fit's folder, read and checked: finished, stopped, or still at work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from diffpair.errors import DiffPairError
from diffpair.report.files import AUDIT, HISTORY, ITERATIONS, POTENTIAL, RESULTS, START, SUMMARY
from diffpair.report.html.targets import (
    Curve,
    Production,
    StateReport,
    number,
    read_curves,
    read_production,
    read_state,
)
from diffpair.report.results import FORMAT
from diffpair.tables import PairTable, TableUncertainty, load_uncertainty, read_document

Json = dict[str, Any]


@dataclass(frozen=True)
class Potential:
    """A table of the fit with its error band, and what its file tells beside it. label: which one, of several."""

    file: str
    label: str
    table: PairTable
    band: TableUncertainty | None
    provenance: Json
    fit: Json


@dataclass(frozen=True)
class Step:
    """An iteration of history.json; None where it was not known."""

    number: int
    mae: float | None
    noise: float | None
    accepted: bool
    chi: float | None
    step: float | None
    md_steps: int
    note: str
    pressure: dict[str, float]
    bonded: dict[str, float]


@dataclass(frozen=True)
class Audit:
    """audit.json: sentences on what to use; per state (name, lengths of segments)."""

    sentences: list[str]
    states: list[tuple[str, list[Json]]]


@dataclass(frozen=True)
class FitFolder:
    """What is in a fit's folder.

    finished: it has a summary. stopped: why it failed, where it did. reason: why the iterations ended. exhausted: all
    that were allowed were done; None where that is not known. hashes: SHA-256 of the files that were read, by name.
    """

    path: Path
    finished: bool
    stopped: str
    reason: str
    exhausted: bool | None
    summary: Json
    states: list[StateReport]
    history: list[Step]
    potentials: list[Potential]
    start: PairTable | None
    audit: Audit | None
    notes: list[str]
    settings: Json
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.path.resolve().name or str(self.path)

    @property
    def provenance(self) -> Json:
        """Where the potential comes from; nothing before there is one."""
        return self.potentials[0].provenance if self.potentials else {}


def read_folder(path: Path) -> FitFolder:
    """Read what is there. Raises DiffPairError: no folder, no fit in it, or a damaged file, which is named."""
    if not path.is_dir():
        what = "is a file, but a report is of the folder of a fit" if path.exists() else "there is no such folder"
        raise DiffPairError(f"{path}: {what}; it should be the --out of a fit")
    hashes: dict[str, str] = {}
    documents = {name: _read(path, name, hashes) for name in (SUMMARY, RESULTS, HISTORY, AUDIT)}
    if documents[SUMMARY] is None and documents[HISTORY] is None and not (path / START).is_file():
        raise DiffPairError(f"{path}: it holds no {SUMMARY}, {HISTORY} or {START}, so it is not the folder of a fit")
    potentials = _potentials(path, hashes)
    summary = documents[SUMMARY] or {}
    with damaged(path / SUMMARY):
        notes = [str(note) for note in summary.get("notes", [])]
        reason = str(summary.get("stopped", ""))
        if summary:
            int(summary["md_steps"]), number(summary["wall_seconds"])
    states = _states(path, summary, documents[RESULTS])
    results = documents[RESULTS] or {}
    with damaged(path / HISTORY):
        history = [_step(entry) for entry in documents[HISTORY] or []]
        if any(after.number <= before.number for before, after in pairwise(history)):
            raise ValueError("its iterations do not count up")
    with damaged(path / AUDIT):
        audit = _audit(documents[AUDIT])
    failed = str(potentials[0].fit.get("stopped", "")) if potentials and not summary else ""
    return FitFolder(
        path, bool(summary), failed, reason, results.get("exhausted"), summary, states, history, potentials,
        PairTable.load(path / START) if (path / START).is_file() else None, audit, notes,
        results.get("settings") or {}, dict(sorted(hashes.items())),
    )  # fmt: skip


def _states(path: Path, summary: Json, results: Json | None) -> list[StateReport]:
    curves: dict[str, list[Curve]] = {}
    more: dict[str, Production] = {}
    if results is not None:
        with damaged(path / RESULTS):
            if results["format"] != FORMAT or results["version"] != 1:
                raise ValueError("its format or version is another one")
            for entry in results["states"]:
                name = str(entry["name"])
                curves[name], more[name] = read_curves(entry), read_production(entry)
    with damaged(path / SUMMARY):
        return [
            read_state(entry, curves.get(entry["name"], []), more.get(entry["name"]))
            for entry in summary.get("states", [])
        ]


def _potentials(path: Path, hashes: dict[str, str]) -> list[Potential]:
    """The learned ones, or before they are written the last iteration's."""
    files = [path / POTENTIAL, *sorted(path.glob("potential-*.json"))]
    if not files[0].is_file():
        files = sorted((path / ITERATIONS).glob("potential-[0-9]*.json"))[-1:]
    found = []
    for file in files:
        document = read_document(file)
        name = file.relative_to(path).as_posix()
        hashes[name] = hashlib.sha256(file.read_bytes()).hexdigest()
        table = PairTable.load(file)
        label = ", ".join(f"{key} = {value:g}" for key, value in table.global_parameters.items())
        found.append(
            Potential(name, label, table, load_uncertainty(file), document["provenance"], document["fit"])
        )  # fmt: skip
    return found


def _step(entry: Json) -> Step:
    optional = {name: _number(entry.get(name)) for name in ("mae", "noise", "chi", "step")}
    return Step(
        number=int(number(entry["number"])), accepted=bool(entry["accepted"]), md_steps=int(entry["md_steps"]),
        note=str(entry["note"]), pressure={k: number(v) for k, v in entry.get("pressure", {}).items()},
        bonded={k: number(v) for k, v in entry.get("bonded", {}).items()}, **optional,
    )  # fmt: skip


def _audit(document: Json | None) -> Audit | None:
    if document is None:
        return None
    states = [(str(state["name"]), [_length(entry) for entry in state["lengths"]]) for state in document["states"]]
    return Audit([str(one) for one in document["recommended"]["sentences"]], states)


def _length(entry: Json) -> Json:
    """A length of segments: whole numbers of steps, and what was found with them."""
    numbers = {name: _number(entry[name]) for name in ("cosine", "error", "ratio", "noise", "growth")}
    steps = int(number(entry["steps"]))
    if steps < 1:
        raise ValueError(f"there are no segments of {steps} steps")
    return {"steps": steps, **numbers}


def _number(value: Any) -> float | None:
    return None if value is None else number(value)


def _read(folder: Path, name: str, hashes: dict[str, str]) -> Any:
    """A JSON file of the folder; None where there is none."""
    path = folder / name
    if not path.is_file():
        return None
    with damaged(path):
        content = path.read_bytes()
        document = json.loads(content.decode("utf-8-sig"))
        if not isinstance(document, list if name == HISTORY else dict):
            raise TypeError("it holds no list of iterations" if name == HISTORY else "it holds no object")
        hashes[name] = hashlib.sha256(content).hexdigest()
        return document


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """What cannot be read there, as one sentence."""
    try:
        yield
    except OSError as error:
        raise DiffPairError(f"{path}: cannot be read: {error.strerror or error}") from None
    except KeyError as error:
        raise DiffPairError(f"{path}: damaged, or not of a fit: {error} is missing") from None
    except (ValueError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        raise DiffPairError(f"{path}: damaged, or not of a fit: {error}") from None
