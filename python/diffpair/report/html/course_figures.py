"""How a fit went: its residual from iteration to iteration, and its audit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from diffpair.report.html.figure import Data, Figure, color
from diffpair.report.html.folder import Audit, Step
from diffpair.report.html.scale import log_span, span
from diffpair.report.html.svg import Axes, Line, draw

Array = NDArray[np.float64]


def course_figures(history: Sequence[Step]) -> list[Figure]:
    """Of the iterations: mean |g - target|; where they are targets, pressures and distributions."""
    if not history:
        return []
    number = np.array([float(step.number) for step in history])
    rejected = np.array([not step.accepted for step in history])
    figures = []
    mae, noise = (_column([getattr(step, name) for step in history]) for name in ("mae", "noise"))
    if np.isfinite(mae).any():
        legend = [(color(0), "mean |g − target|"), (f"dashed {color(1)}", "what noise gives")]
        if rejected.any():
            legend.append((f"hollow {color(0)}", "not accepted"))
        lines = [Line(number, noise, f"dashed {color(1)}"), Line(number, mae, color(0), dots=True, hollow=rejected)]
        axes = Axes("mean |g − target|", log_span(np.concatenate([mae, noise])), lines, log_y=True)
        data = Data("iterations", ("iteration", "mae", "noise"), (number, mae, noise))
        told = "of each iteration's own sampling, all fitted states together"
        figures.append(Figure("Residual", told, _over(number, "residual", axes), legend, data))
    for kind, label, words in (
        ("pressure", "P − target / bar", "Pressure"), ("bonded", "∫ |p − target|", "Distributions of bonded terms"),
    ):  # fmt: skip
        names = sorted({name for step in history for name in getattr(step, kind)})
        if not names:
            continue
        columns = [_column([getattr(step, kind).get(name) for step in history]) for name in names]
        lines = [Line(number, one, color(i), dots=True, hollow=rejected) for i, one in enumerate(columns)]
        every = np.concatenate(columns)
        log = kind == "bonded"
        axes = Axes(label, log_span(every) if log else span(np.append(every, 0.0)), lines, zero=not log, log_y=log)
        legend = [(color(i), name) for i, name in enumerate(names)]
        data = Data(f"iterations-{kind}", ("iteration", *names), (number, *columns))
        told = "of each iteration's own sampling"
        figures.append(Figure(words, told, _over(number, words, axes), legend, data))
    return figures


def audit_figure(audit: Audit) -> Figure | None:
    """Cosine of the adjoint gradient with the equilibrium one against the length of the segments."""
    lines, legend = [], []
    columns: list[tuple[str, Array]] = []
    lengths = sorted({float(entry["steps"]) for _, entries in audit.states for entry in entries})
    if not lengths:
        return None
    for index, (name, entries) in enumerate(audit.states):
        found = {float(entry["steps"]): entry["cosine"] for entry in entries}
        cosine = _column([found.get(length) for length in lengths])
        lines.append(Line(np.array(lengths), cosine, color(index), dots=True))
        legend.append((color(index), name))
        columns.append((f"cosine_{name}", cosine))
    every = np.concatenate([values for _, values in columns])
    low = min(0.0, float(np.nanmin(every, initial=0.0))) - 0.05
    x = (lengths[0] / 1.2, lengths[-1] * 1.2)
    svg = draw("audit", "steps of a segment", x, Axes("cosine", (low, 1.05), lines), log_x=True)
    data = Data("audit", ("steps", *(name for name, _ in columns)), (np.array(lengths), *(v for _, v in columns)))
    told = "cosine of the adjoint gradient with the equilibrium gradient; 1 is the same direction"
    return Figure("Audit", told, svg, legend, data)


def _over(number: Array, title: str, axes: Axes) -> Markup:
    return draw(title, "iteration", (number[0] - 0.5, number[-1] + 0.5), axes, whole_x=True)


def _column(values: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
