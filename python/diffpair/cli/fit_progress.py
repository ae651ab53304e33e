"""What `diffpair fit` says with --quiet and with --json."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console

from diffpair.cli.events import Events
from diffpair.engines import ProductionResult
from diffpair.fit.record.iteration import Iteration
from diffpair.fit.record.progress import FitProgress
from diffpair.report import summary_document


class QuietProgress(FitProgress):
    """Notes alone, on standard error."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))

    def note(self, text: str) -> None:
        """Something that the user should know."""
        click.echo(f"diffpair: note: {text}", err=True)


class JsonProgress(FitProgress):
    """Events; docs/guide/commands.md has their keys."""

    def __init__(self, events: Events) -> None:
        super().__init__(Console(quiet=True))
        self.events = events

    def begin(self, what: str, steps: int) -> None:
        """A piece of work of so many MD steps, at most."""
        self.events.emit("stage", what=what, steps=steps)

    def advance(self, steps: int) -> None:
        """Not told."""

    def say(self, text: str) -> None:
        """A line of text."""
        self.events.emit("message", text=text)

    def note(self, text: str) -> None:
        """Something that the user should know."""
        self.events.emit("warning", text=text)

    def iteration(self, entry: Iteration, of: int) -> None:
        """An iteration is done."""
        self.events.emit(
            "iteration", number=entry.number, of=of, residual=entry.mae, noise=entry.noise, accepted=entry.accepted,
            step_kT=entry.step, pressure_off_bar=entry.pressure, bonded_residuals=entry.bonded,
            md_steps=entry.md_steps, seconds=entry.seconds, seconds_left_at_most=self.seconds_left, note=entry.note,
        )  # fmt: skip

    def production(self, result: ProductionResult, lines: Sequence[str]) -> None:
        """What production has shown of a state."""
        found = summary_document(
            iterations=0, wall_seconds=0, md_seconds=0, md_steps=0, results=[result], potential=""
        )["states"][0]  # fmt: skip
        self.events.emit("production", state=found.pop("name"), steps=result.steps, **found)
        for note in result.notes:
            self.note(note)


@contextmanager
def warnings_as_notes(progress: FitProgress) -> Iterator[None]:
    """Python's warnings become notes of the fit, but for deprecations, which concern developers only."""

    def heard(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if not issubclass(category, DeprecationWarning | PendingDeprecationWarning):
            progress.note(str(message))

    before = warnings.showwarning
    warnings.showwarning = heard  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = before
