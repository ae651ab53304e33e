"""The figure of a fit: its targets, the potential, the loss."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator

from diffpair.bonded.term import ORDERS
from diffpair.engines.results import DistributionResult, ProductionResult, RdfResult
from diffpair.report.bonded import draw_terms
from diffpair.report.comparison import draw_target
from diffpair.report.curves import learned_rows, reached_by, seen_part
from diffpair.report.style import COLORS, TARGET, plain, style
from diffpair.tables import PairTable, TableUncertainty

_COLUMNS = 3
# Inches: of a panel with what stands around it, of that on the left, right, below and above, and of a title above all.
# They are fixed: Matplotlib's constrained layout would find them anew, which takes as long as drawing the figure.
_WIDTH, _HEIGHT = 4.4, 3.6
_LEFT, _RIGHT, _BELOW, _ABOVE, _TITLE = 0.95, 0.12, 0.5, 0.45, 0.35
_LABEL = 0.74  # from the axes to the label on their left; tick labels stand between


def plot_fit(path: str | os.PathLike[str], *args: Any, **options: Any) -> Path:
    """Draw a fit, see `draw_fit`, and save it (the suffix says as what: .png, .pdf, .svg)."""
    draw_fit(*args, **options).savefig(path)
    return Path(path)


def as_png(figure: Figure) -> bytes:
    """The figure as the content of a PNG file."""
    memory = io.BytesIO()
    figure.savefig(memory, format="png")
    return memory.getvalue()


def draw_fit(
    results: Sequence[ProductionResult],
    table: PairTable,
    losses: Sequence[float],
    *,
    start: PairTable | None = None,
    uncertainty: TableUncertainty | None = None,
    title: str | None = None,
    loss_label: str = "loss",
) -> Figure:
    """Draw a fit.

    One panel per g(r) and per distribution that is a target, with production, the target and their difference over the
    noise; then the potential of every pair of types, that of bonds, angles and dihedrals where there are any, and the
    loss.

    Args:
        results: production of each state.
        table: the learned potential.
        losses: one per iteration, in order.
        start: the potential before the fit, drawn dashed.
        uncertainty: drawn as a band of 2 standard deviations.
        title: above everything.
        loss_label: what the losses are.
    """
    rdfs = [(result, rdf) for result in results for rdf in result.rdfs]
    targets: list[tuple[ProductionResult, RdfResult | DistributionResult]] = [*rdfs]
    targets += [(result, found) for result in results for found in result.distributions]
    bonded = [terms for order in ORDERS.values() if (terms := [t for t in table.bonded if t.order == order])]
    panels = len(targets) + len(bonded) + 2
    columns = min(_COLUMNS, panels)
    rows = math.ceil(panels / columns)
    figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows + (_TITLE if title else 0)), dpi=150)
    FigureCanvasAgg(figure)
    grid = _grid(figure, rows, columns)
    cells = [grid[index // columns, index % columns] for index in range(panels)]
    for result, target in targets:
        draw_target(figure, cells.pop(0), result, target, many=len(results) > 1)
    _draw_potential(figure.add_subplot(cells.pop(0)), table, start, uncertainty, rdfs)
    for terms in bonded:
        draw_terms(figure.add_subplot(cells.pop(0)), terms, start.bonded if start is not None else (), uncertainty)
    _draw_loss(figure.add_subplot(cells.pop(0)), losses, loss_label)
    for axes in figure.axes:
        axes.yaxis.set_label_coords(-_LABEL / (_WIDTH - _LEFT - _RIGHT), 0.5)
    if title:
        figure.suptitle(title, fontsize=12)
    return figure


def _grid(figure: Figure, rows: int, columns: int) -> GridSpec:
    """Axes of panels of one size; a title stands above them."""
    width, height = figure.get_size_inches()
    across, down = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _BELOW - _ABOVE
    return figure.add_gridspec(
        rows, columns, left=_LEFT / width, right=1 - _RIGHT / width, bottom=_BELOW / height,
        top=(_HEIGHT * rows - _ABOVE) / height, wspace=(_LEFT + _RIGHT) / across, hspace=(_BELOW + _ABOVE) / down,
    )  # fmt: skip


def _draw_potential(
    axes: Axes,
    table: PairTable,
    start: PairTable | None,
    uncertainty: TableUncertainty | None,
    rdfs: Sequence[tuple[ProductionResult, RdfResult]],
) -> None:
    lowest, highest = np.inf, -np.inf
    reached = reached_by(((rdf.pair, rdf.r, rdf.g) for _, rdf in rdfs), table.cutoff)
    r = np.linspace(max(table.r_min, 0.9 * min(reached.values(), default=table.r_min)), table.cutoff, 600)
    for index in learned_rows(table):
        a, b = table.pairs[index]
        color, label = COLORS[index % len(COLORS)], plain(f"{a}–{b}")
        energy = table.energy(r, a, b)
        axes.plot(r, energy, color=color, linewidth=1.6, label=label)
        if uncertainty is not None:
            band = 2 * uncertainty.at(r, a, b)
            axes.fill_between(r, energy - band, energy + band, color=color, alpha=0.2, linewidth=0)
        seen = seen_part(r, energy, frozenset((a, b)), reached, table.r_min)
        lowest, highest = min(lowest, float(seen.min())), max(highest, float(seen.max()))
        if start is not None and {a, b} <= set(start.types):
            axes.plot(
                r, start.energy(r, a, b), color=color, linewidth=1.0, linestyle="--", alpha=0.7, label=f"{label}, start"
            )
    axes.axhline(0, color=TARGET, linewidth=0.6)
    margin = 0.12 * max(highest - lowest, 1e-6)
    style(axes, xlabel="r / nm", ylabel="U(r) / kJ mol$^{-1}$", ylim=(lowest - margin, highest + margin))
    axes.set_title("pair potential", fontsize=9)
    if len(table.pairs) > 1 or start is not None:
        axes.legend(frameon=False, fontsize=8)


def _draw_loss(axes: Axes, losses: Sequence[float], label: str) -> None:
    iterations = np.arange(1, len(losses) + 1)
    axes.plot(iterations, losses, color=COLORS[0], marker="o", markersize=3.5, linewidth=1.2)
    if len(losses) and min(losses) > 0:
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style(axes, xlabel="iteration", ylabel=label)
    axes.set_title("fit", fontsize=9)
