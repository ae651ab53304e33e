"""A bar of MD steps on standard error, with the speed and the time left; nothing where that is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class StepsBar:
    """Bars, of which one is at work."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._begin, self._done = time.perf_counter(), 0

    def begin(self, what: str, steps: int) -> int:
        """A new bar; returns its number."""
        self._begin, self._done = time.perf_counter(), 0
        return self._bar.add_task(what, total=steps, speed="", more="")

    def advance(self, number: int, steps: int, more: str = "") -> None:
        """So many steps were done; more: what else is to be seen."""
        self._done += steps
        speed = f"{self._done / max(time.perf_counter() - self._begin, 1e-9):.0f} steps/s" if self._done else ""
        self._bar.update(_task(number), advance=steps, speed=speed, more=more)

    def end(self, number: int) -> None:
        """Take it away."""
        self._bar.remove_task(_task(number))


def _task(number: int) -> TaskID:
    from rich.progress import TaskID

    return TaskID(number)


@contextmanager
def steps_bar(quiet: bool = False) -> Iterator[StepsBar]:
    """Shown while it lasts; quiet: not at all."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[speed]:>7}  {task.fields[more]}"), TimeRemainingColumn(),
        console=console, transient=True, disable=quiet or not console.is_terminal,
    )  # fmt: skip
    with bar:
        yield StepsBar(bar)
