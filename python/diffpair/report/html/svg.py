"""Figures as SVG: lines and bands over axes. Colours are classes, so that the page's style sheet has light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from diffpair.report.html.scale import Scale

Array = NDArray[np.float64]
WIDTH, LEFT, RIGHT, TOP, BOTTOM, GAP = 400.0, 66.0, 12.0, 10.0, 44.0, 12.0  # in units of the figure, about pixels
HEIGHT, LOWER = 200.0, 68.0  # of the axes, and of those below them
CLIP = 4.0  # heights of the axes beyond which a line is cut: browsers draw no numbers of any size


@dataclass(frozen=True)
class Line:
    """x, y: [n]; NaN breaks it. css: classes of the style sheet, such as c0. dots: with a mark at each point; hollow:
    marks of these are empty, [n] of bool."""

    x: Array
    y: Array
    css: str
    dots: bool = False
    hollow: NDArray[np.bool_] | None = None
    joined: bool = True


@dataclass(frozen=True)
class Band:
    """Between low and high, [n] each."""

    x: Array
    low: Array
    high: Array
    css: str


@dataclass(frozen=True)
class Axes:
    """What is drawn over one pair of axes. y: (low, high) of the axis. zero: a line at 0. whole_x: no fractions."""

    y_label: str
    y: tuple[float, float]
    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    zero: bool = False
    log_y: bool = False


def draw(
    title: str, x_label: str, x: tuple[float, float], upper: Axes, lower: Axes | None = None, *,
    log_x: bool = False, whole_x: bool = False,
) -> Markup:  # fmt: skip
    """A figure of one pair of axes, or of two that share x. title: for those who hear the page."""
    height = TOP + HEIGHT + (GAP + LOWER if lower else 0) + BOTTOM
    across = Scale(*x, LEFT, WIDTH - RIGHT, log_x)
    parts = _axes(upper, across, TOP, HEIGHT, log_x, whole_x)
    bottom = TOP + HEIGHT
    if lower is not None:
        parts += _axes(lower, across, bottom + GAP, LOWER, log_x, whole_x)
        bottom += GAP + LOWER
    for number, text in across.ticks(6, whole_x):
        parts.append(_text(float(across(number)), bottom + 16, text, "middle"))
    parts.append(_text(0.5 * (LEFT + WIDTH - RIGHT), bottom + 36, x_label, "middle", "label"))
    return Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, title, Markup("").join(parts)
    )


def _axes(axes: Axes, across: Scale, top: float, height: float, log_x: bool, whole_x: bool) -> list[Markup]:
    up = Scale(*axes.y, top + height, top, axes.log_y)
    right = WIDTH - RIGHT
    parts = []
    for number, text in up.ticks(5 if height > 100 else 4):
        place = float(up(number))
        parts.append(_rule("grid", LEFT, place, right, place))
        parts.append(_text(LEFT - 6, place + 4, text, "end"))
    for number, _ in across.ticks(6, whole_x):
        place = float(across(number))
        parts.append(_rule("grid", place, top, place, top + height))
    # a figure within the figure, which cuts what leaves the axes
    inside = [_band(band, across, up) for band in axes.bands]
    if axes.zero:
        inside.append(_rule("zero", LEFT, float(up(0.0)), right, float(up(0.0))))
    for line in axes.lines:
        inside += _line(line, across, up)
    view = f"{LEFT:g} {top:g} {right - LEFT:g} {height:g}"
    parts.append(
        Markup('<svg x="{:g}" y="{:g}" width="{:g}" height="{:g}" viewBox="{}">{}</svg>').format(
            LEFT, top, right - LEFT, height, view, Markup("").join(inside)
        )
    )
    parts.append(_rule("axis", LEFT, top, LEFT, top + height))
    parts.append(_rule("axis", LEFT, top + height, right, top + height))
    middle = top + 0.5 * height
    parts.append(
        Markup('<text class="label" text-anchor="middle" transform="translate(11 {:g}) rotate(-90)">{}</text>').format(
            middle, axes.y_label
        )
    )
    return parts


def _line(line: Line, across: Scale, up: Scale) -> list[Markup]:
    x, y = across(line.x), _cut(up(line.y), up)
    parts = []
    if line.joined:
        pieces = [f"M{' '.join(f'{a:.1f},{b:.1f}' for a, b in piece)}" for piece in _pieces(x, y) if len(piece) > 1]
        parts.append(Markup('<path class="line {}" d="{}"/>').format(line.css, "".join(pieces)))
    if line.dots:
        hollow = np.zeros(len(x), dtype=bool) if line.hollow is None else line.hollow
        for a, b, empty in zip(x, y, hollow, strict=True):
            if np.isfinite(a) and np.isfinite(b):
                css = f"{'hollow' if empty else 'dot'} {line.css}"
                parts.append(Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(css, a, b))
    return parts


def _band(band: Band, across: Scale, up: Scale) -> Markup:
    x, low, high = across(band.x), _cut(up(band.low), up), _cut(up(band.high), up)
    shapes = []
    for start, stop in _runs(np.isfinite(x) & np.isfinite(low) & np.isfinite(high)):
        there = zip(x[start:stop], high[start:stop], strict=True)
        back = zip(x[start:stop][::-1], low[start:stop][::-1], strict=True)
        shapes.append(f"M{' '.join(f'{a:.1f},{b:.1f}' for a, b in [*there, *back])}Z")
    return Markup('<path class="band {}" d="{}"/>').format(band.css, "".join(shapes))


def _cut(places: Array, up: Scale) -> Array:
    height = abs(up.start - up.end)
    return np.clip(places, min(up.start, up.end) - CLIP * height, max(up.start, up.end) + CLIP * height)


def _pieces(x: Array, y: Array) -> list[list[tuple[float, float]]]:
    runs = _runs(np.isfinite(x) & np.isfinite(y))
    return [list(zip(x[start:stop].tolist(), y[start:stop].tolist(), strict=True)) for start, stop in runs]


def _runs(known: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of what is known without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _rule(css: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<path class="{}" d="M{:.1f},{:.1f} {:.1f},{:.1f}"/>').format(css, x1, y1, x2, y2)


def _text(x: float, y: float, text: str, anchor: str, css: str = "tick") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        css, x, y, anchor, escape(text)
    )
