"""Timing of several contenders in turns: the machine drifts, so only figures of the same round are compared."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.progress import Progress


@dataclass(frozen=True)
class Contender:
    """`block(steps)` makes that many steps and returns the seconds per step; `fixed_steps` instead of a calibration."""

    name: str
    block: Callable[[int], float]
    fixed_steps: int | None = None


@dataclass(frozen=True)
class Rounds:
    """Seconds per step of every contender, one for each round."""

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Median seconds per step."""
        return statistics.median(self.seconds[name])

    def ratio(self, slower: str, faster: str) -> float:
        """How many times faster `faster` is: the median over the rounds of the ratio within a round."""
        return statistics.median(a / b for a, b in zip(self.seconds[slower], self.seconds[faster], strict=True))

    def excess(self, name: str, without: str) -> float:
        """Median over the rounds of the seconds per step that `name` takes more than `without`."""
        return statistics.median(a - b for a, b in zip(self.seconds[name], self.seconds[without], strict=True))

    def excess_ratio(self, first: str, second: str, without: str) -> float:
        """Median over the rounds of (first - without) / (second - without)."""
        rows = zip(self.seconds[first], self.seconds[second], self.seconds[without], strict=True)
        return statistics.median((a - c) / (b - c) for a, b, c in rows)


def timed(step: Callable[[int], None]) -> Callable[[int], float]:
    """A block from a function that makes steps."""

    def block(steps: int) -> float:
        start = time.perf_counter()
        step(steps)
        return (time.perf_counter() - start) / steps

    return block


def measure(
    contenders: list[Contender], rounds: int, seconds: float, progress: Progress, title: str, least_steps: int = 10
) -> Rounds:
    """Run every contender for about `seconds` in each round, in an order that rotates from round to round.

    A turn has `least_steps` or more, so that neighbour lists are rebuilt as often in every turn, or nearly so.
    """
    task = progress.add_task(title, total=rounds * len(contenders))
    steps = {}
    for contender in contenders:
        if contender.fixed_steps is None:
            contender.block(10)  # buffers, lists, just-in-time compilation
            steps[contender.name] = max(least_steps, round(seconds / contender.block(10)))
        else:
            steps[contender.name] = contender.fixed_steps
    result: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for turn in range(rounds):
        first = turn % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            result[contender.name].append(contender.block(steps[contender.name]))
            progress.advance(task)
    progress.remove_task(task)
    return Rounds(result)
