"""What every benchmark reports: one object per bar, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Bar:
    """A measured figure and what is asked of it.

    holds: whether the figure reaches the bar; None if it was not measured, or not under the bar's conditions, and then
    `case` says why. A figure that nothing is asked of has no bar either. JSON has the same keys.
    """

    case: str
    figure: float | None
    unit: str
    bar: float | None
    holds: bool | None


def at_least(case: str, figure: float, bar: float, unit: str = "x") -> Bar:
    """A bar that larger figures hold."""
    return Bar(f"{case}, at least", figure, unit, bar, figure >= bar)


def at_most(case: str, figure: float, bar: float, unit: str) -> Bar:
    """A bar that smaller figures hold."""
    return Bar(f"{case}, at most", figure, unit, bar, figure <= bar)


def figure(case: str, value: float, unit: str) -> Bar:
    """A figure that stands beside others, without a bar."""
    return Bar(case, value, unit, None, None)


def missing(case: str, bar: float, unit: str, why: str) -> Bar:
    """A bar that cannot be judged here."""
    return Bar(f"{case} ({why})", None, unit, bar, None)


def unjudged(bars: list[Bar], why: str) -> list[Bar]:
    """The same figures without a verdict."""
    return [
        bar if bar.holds is None else Bar(f"{bar.case} ({why})", bar.figure, bar.unit, bar.bar, None) for bar in bars
    ]


def write_json(bars: list[Bar], path: Path) -> None:
    """Write the bars as a JSON list."""
    path.write_text(json.dumps([asdict(bar) for bar in bars], indent=1, allow_nan=False) + "\n")


def show(bars: list[Bar], console: Console) -> None:
    """Print the bars as a table."""
    table = Table("case", "figure", "bar", "unit", "", title="Bars")
    words = {True: "[green]holds[/]", False: "[red]falls short[/]", None: "not judged"}
    for bar in bars:
        figure = "-" if bar.figure is None or not math.isfinite(bar.figure) else f"{bar.figure:.3g}"
        table.add_row(bar.case, figure, "-" if bar.bar is None else f"{bar.bar:g}", bar.unit, words[bar.holds])
    console.print(table)
