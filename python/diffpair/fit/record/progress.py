"""What a fit says while it works."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from diffpair.engines import ProductionResult
from diffpair.fit.record.iteration import Iteration

_WIDE = 100  # columns of a terminal that has room for all of an iteration's line


class FitProgress:
    """A bar of MD steps with speed and remaining time, and one line per iteration. Use as a context manager.

    The bar is for terminals alone; elsewhere there are lines without control codes.

    Attributes:
        seconds_left: that the rest of the fit takes at most, NaN where that is not known.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._bar = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=14),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[speed]:>7}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._begin, self._done = time.perf_counter(), 0
        self.seconds_left, self._left = math.nan, ""  # and in words

    @classmethod
    def of(cls, wanted: FitProgress | bool) -> FitProgress:
        """That one; True: on the terminal, False: nowhere."""
        return wanted if isinstance(wanted, FitProgress) else cls(Console(quiet=not wanted))

    def __enter__(self) -> FitProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._bar.stop()

    def begin(self, what: str, steps: int) -> None:
        """A new bar of so many MD steps."""
        self._bar.start()  # only here: a fit that is refused before it begins shows no bar
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._begin, self._done = time.perf_counter(), 0
        self._task = self._bar.add_task(what, total=max(steps, 1), speed="", left=self._left and f"all {self._left}")

    def advance(self, steps: int) -> None:
        """So many MD steps were done."""
        self._done += steps
        if self._task is not None:
            speed = self._done / max(time.perf_counter() - self._begin, 1e-9)
            self._bar.update(self._task, advance=steps, speed=f"{speed:.0f} steps/s")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Something that the user should know."""
        self.say(f"note: {text}")

    def iteration(self, entry: Iteration, of: int) -> None:
        """An iteration is done."""
        line = f"iteration {entry.number:3d}/{of}  mean |g - target| {entry.mae:.4f} (noise {entry.noise:.4f})"
        if entry.pressure:
            line += "  P - target " + ", ".join(f"{value:+.3g}" for value in entry.pressure.values()) + " bar"
        if entry.bonded:
            worst = max(entry.bonded, key=entry.bonded.__getitem__)
            line += f"  integral |p - target| {entry.bonded[worst]:.3f} or less, {worst}"
        wide = not self.console.is_terminal or self.console.width >= _WIDE
        if entry.step == entry.step and wide:
            line += f"  step {entry.step:.3f} kT"
        if entry.effective:
            count = f"{entry.updates} update{'s' if entry.updates > 1 else ''}"
            line += f" in {count}, {100 * min(entry.effective.values()):.0f} % of the frames effective"
        line += (f"  {entry.md_steps} MD steps" if wide else "") + f"  {entry.seconds:.0f} s"
        left = self.seconds_left
        self._left = f"< {span(left)} left" if left == left else ""
        line += f", {self._left}" if self._left else ""
        self.say(line + (f"  {entry.note}" if entry.note else ""))

    def production(self, result: ProductionResult, lines: Sequence[str]) -> None:
        """What production has shown of a state. lines: the same in words."""
        for note in result.notes:
            self.note(note)
        for line in lines:
            self.say(line)


def span(seconds: float) -> str:
    """So much time, rounded up: 40 s, 3 min, 2.5 h."""
    if seconds < 100:
        return f"{max(math.ceil(seconds / 10), 1) * 10} s"
    if seconds < 100 * 60:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 360) / 10:g} h"
