"""What a fit says while it works."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from diffpair.fit.record.iteration import Iteration


class FitProgress:
    """A bar of MD steps with speed and remaining time, and one line per iteration. Use as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._bar = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[speed]:>7}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._begin, self._done = time.perf_counter(), 0

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
        self._task = self._bar.add_task(what, total=max(steps, 1), speed="")

    def advance(self, steps: int) -> None:
        """So many MD steps were done."""
        self._done += steps
        if self._task is not None:
            speed = self._done / max(time.perf_counter() - self._begin, 1e-9)
            self._bar.update(self._task, advance=steps, speed=f"{speed:.0f} steps/s")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def iteration(self, entry: Iteration, of: int) -> None:
        """The line of an iteration."""
        line = f"iteration {entry.number:3d}/{of}  mean |g - target| {entry.mae:.4f} (noise {entry.noise:.4f})"
        if entry.pressure:
            line += "  P - target " + ", ".join(f"{value:+.3g}" for value in entry.pressure.values()) + " bar"
        if entry.bonded:
            worst = max(entry.bonded, key=entry.bonded.__getitem__)
            line += f"  integral |p - target| {entry.bonded[worst]:.3f} or less, {worst}"
        if entry.step == entry.step:
            line += f"  step {entry.step:.3f} kT"
        if entry.effective:
            count = f"{entry.updates} update{'s' if entry.updates > 1 else ''}"
            line += f" in {count}, {100 * min(entry.effective.values()):.0f} % of the frames effective"
        self.say(
            line + f"  {entry.md_steps} MD steps  {entry.seconds:.0f} s" + (f"  {entry.note}" if entry.note else "")
        )
