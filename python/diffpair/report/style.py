"""What all figures look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ["#1f6f8b", "#d1495b", "#66a182", "#8d6a9f", "#edae49", "#5c4d3c"]
TARGET = "#222222"


def plain(name: str) -> str:
    """A name of the user's, none of it taken for mathematics."""
    return name.replace("$", r"\$")


def style(axes: Axes, **labels: Any) -> None:
    axes.set(**labels)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.tick_params(which="both", labelsize=8)
