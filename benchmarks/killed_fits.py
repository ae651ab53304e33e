"""Fits in processes of their own that are killed by SIGKILL, what they were doing, and what they leave.

`Moment` says when: after some time, or at a call to the operating system of those with which files are written.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffpair.config import load_config, make_fit
from diffpair.fit.record.checkpoint import CHECKPOINT
from diffpair.fit.record.progress import FitProgress

# dates, paths and what depends on them
_ORIGIN = {"made", "config", "config_sha256", "config_text", "sha256"}
_WALL = {"wall_seconds", "md_seconds"}
# Once, for all processes; also what a fit imports late.
PRELOAD = [
    *("diffpair.config", "diffpair.fit.fit", "diffpair.cli.fit"),
    *("diffpair.report.plots", "diffpair.report.html.render", "scipy.signal", "scipy.stats", "matplotlib.pyplot"),
]
WRITING, REPORT, START = "writing", "report", "start"


@dataclass(frozen=True)
class Moment:
    """When a fit is killed: `seconds` after it began to work, or before the `count`-th call of the function `call` of
    the module os ("fsync" or "replace") from then on."""

    seconds: float = 0.0
    call: str = ""
    count: int = 0


@dataclass(frozen=True)
class Life:
    """What a process did. phases: in their order. killed: not of its own will. status: its exit status."""

    phases: list[str]
    killed: bool
    status: int

    @property
    def iterations(self) -> list[int]:
        """The numbers of those that it began."""
        return [int(phase.split()[1]) for phase in self.phases if phase.startswith("iteration ")]


class _Noted(FitProgress):
    """Notes every phase in a file, which outlives the process."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.console.quiet = True
        self._handle, self.phase = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), ""

    def note(self, phase: str) -> None:
        self.phase = phase
        os.write(self._handle, f"{phase}\n".encode())

    def begin(self, what: str, steps: int) -> None:
        self.note(what.split("/")[0])
        super().begin(what, steps)

    def say(self, text: str) -> None:
        if text.startswith("state ") or ("note: state" in text and self.phase.startswith("production")):
            self.note(REPORT)


def live(config: Path, out: Path, moment: Moment | None = None) -> Life:
    """One process that begins the fit of a config in a folder, or goes on with it."""
    phases = out.with_name(f"{out.name}.phases")
    phases.unlink(missing_ok=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    process = context.Process(target=_fit, args=(config, out, phases, moment))
    process.start()
    if moment is not None and not moment.call:
        while not phases.exists() and process.is_alive():
            time.sleep(0.001)
        process.join(moment.seconds)
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    status = process.exitcode
    assert status is not None
    return Life(phases.read_text().splitlines() if phases.exists() else [], status == -signal.SIGKILL, status)


def _fit(config: Path, out: Path, phases: Path, moment: Moment | None) -> None:
    noted = _Noted(phases)
    noted.note(START)
    for name in ("fsync", "replace"):
        _watch(name, noted, moment if moment is not None and moment.call == name else None)
    make_fit(load_config(config), progress=noted).run(out, resume=(out / CHECKPOINT).is_file())


def _watch(name: str, noted: _Noted, moment: Moment | None) -> None:
    """Have calls of a function of os noted, and one of them end the process."""
    function, calls = getattr(os, name), [0]

    def watched(*arguments: Any) -> Any:
        before = noted.phase
        noted.note(WRITING)
        calls[0] += 1
        if moment is not None and calls[0] == moment.count:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments)
        noted.note(f"after {before}" if before.startswith("iteration ") else before)
        return result

    setattr(os, name, watched)


def redone(lives: list[Life]) -> int:
    """The largest number of iterations that one interruption has cost."""
    worst, last = 0, 0
    for life in lives:
        if last and life.iterations:
            worst = max(worst, last - life.iterations[0] + 1)
        last = max([last, *life.iterations])
    return worst


def bits(out: Path) -> dict[str, Any]:
    """All that a fit has found and written but wall times, dates and paths."""
    history = json.loads((out / "history.json").read_text())
    summary = json.loads((out / "summary.json").read_text())
    potential = json.loads((out / "potential.json").read_text())
    potential["provenance"] = {k: v for k, v in potential["provenance"].items() if k not in _ORIGIN}
    tables = [out / "start.json", *sorted((out / "iterations").glob("*.json"))]
    return {
        "history": [{k: v for k, v in entry.items() if k != "seconds"} for entry in history],
        "tables": {file.name: json.loads(file.read_text())["pairs"] for file in tables},
        "potential": potential,
        "summary": {k: v for k, v in summary.items() if k not in _WALL},
        "structure": (out / "beads.pdb").read_text() if (out / "beads.pdb").is_file() else "",
    }


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two such results differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other}, key=str)
        return [text for k in keys for text in differences(one.get(k), other.get(k), f"{where}/{k}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            text for k, pair in enumerate(zip(one, other, strict=True)) for text in differences(*pair, f"{where}/{k}")
        ]
    return [] if one == other else [f"{where}: {one!r} and {other!r}"[:200]]
