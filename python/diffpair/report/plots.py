"""The figure of a fit: g(r) against its targets, the potential, the loss."""

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
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from diffpair.engines.production import ProductionResult, RdfResult
from diffpair.tables import PairTable, TableUncertainty
from diffpair.targets.sampled import LEAST

COLORS = ["#1f6f8b", "#d1495b", "#66a182", "#8d6a9f", "#edae49", "#5c4d3c"]
_TARGET = "#222222"
_COLUMNS = 3


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

    One panel per target with g from production, the target and their difference over the noise of g; then the
    potential of every pair of types; then the loss.

    Parameters
    ----------
    results: production of each state. table: the learned potential. losses: one per iteration, in order.
    start: the potential before the fit, drawn dashed. uncertainty: drawn as a band of 2 standard deviations.
    title: above everything. loss_label: what the losses are.
    """
    rdfs = [(result, rdf) for result in results for rdf in result.rdfs]
    panels = len(rdfs) + 2
    columns = min(_COLUMNS, panels)
    rows = math.ceil(panels / columns)
    figure = Figure(figsize=(4.4 * columns, 3.6 * rows), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(rows, columns)
    cells = [grid[index // columns, index % columns] for index in range(panels)]
    for cell, (result, rdf) in zip(cells, rdfs, strict=False):
        _draw_rdf(figure, cell, result, rdf, many=len(rdfs) > 1)
    _draw_potential(figure.add_subplot(cells[-2]), table, start, uncertainty, rdfs)
    _draw_loss(figure.add_subplot(cells[-1]), losses, loss_label)
    if title:
        figure.suptitle(title, fontsize=12)
    return figure


def plain(name: str) -> str:
    """A name of the user's, none of it taken for mathematics."""
    return name.replace("$", r"\$")


def style(axes: Axes, **labels: Any) -> None:
    axes.set(**labels)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.tick_params(which="both", labelsize=8)


def _draw_rdf(figure: Figure, cell: SubplotSpec, result: ProductionResult, rdf: RdfResult, many: bool) -> None:
    inner = cell.subgridspec(2, 1, height_ratios=[3.2, 1], hspace=0.04)
    top = figure.add_subplot(inner[0])
    bottom = figure.add_subplot(inner[1], sharex=top)
    top.plot(rdf.r, rdf.g_target, color=_TARGET, linewidth=2.6, alpha=0.35, label="target")
    top.plot(rdf.r, rdf.g, color=COLORS[0], linewidth=1.2, label="production")
    style(top, ylabel=f"g(r), {plain('–'.join(rdf.pair))}", ylim=(0, None))
    top.tick_params(labelbottom=False)
    top.legend(frameon=False, fontsize=8, loc="upper right")
    held_out = " (held out)" if result.held_out else ""
    name = f"{plain(result.state)}{held_out}\n" if many or held_out else ""
    top.set_title(f"{name}mean |g − target| = {rdf.mae:.4f} (noise {rdf.mae_noise:.4f})", fontsize=9)

    difference = rdf.g - rdf.g_target
    error = np.nan_to_num(rdf.error)
    bottom.fill_between(rdf.r, -2 * error, 2 * error, color=COLORS[0], alpha=0.18, linewidth=0)
    bottom.plot(rdf.r, difference, color=COLORS[1], linewidth=1.0)
    bottom.axhline(0, color=_TARGET, linewidth=0.6)
    figure.align_ylabels([top, bottom])
    bound = 1.1 * max(float(np.max(np.abs(difference))), 0.005)
    style(bottom, xlabel="r / nm", ylabel="g − target", ylim=(-bound, bound))


def _draw_potential(
    axes: Axes,
    table: PairTable,
    start: PairTable | None,
    uncertainty: TableUncertainty | None,
    rdfs: Sequence[tuple[ProductionResult, RdfResult]],
) -> None:
    lowest, highest = np.inf, -np.inf
    # per pair, the distance down to which production has been: further in, the potential is an extrapolation
    reached: dict[frozenset[str], float] = {}
    for _, rdf in rdfs:
        pair, nearest = frozenset(rdf.pair), float(rdf.r[np.argmax(rdf.g > LEAST)])
        reached[pair] = min(nearest, 0.99 * table.cutoff, reached.get(pair, nearest))
    r = np.linspace(max(table.r_min, 0.9 * min(reached.values(), default=table.r_min)), table.cutoff, 600)
    shown: NDArray[np.bool_] = np.any(table.coefficients != 0, axis=1)  # pairs that are not learned are 0
    for index, (a, b) in enumerate(table.pairs):
        if shown.any() and not shown[index]:
            continue
        color, label = COLORS[index % len(COLORS)], plain(f"{a}–{b}")
        energy = table.energy(r, a, b)
        axes.plot(r, energy, color=color, linewidth=1.6, label=label)
        if uncertainty is not None:
            band = 2 * uncertainty.at(r, a, b)
            axes.fill_between(r, energy - band, energy + band, color=color, alpha=0.2, linewidth=0)
        seen = energy[r >= reached.get(frozenset((a, b)), max(reached.values(), default=table.r_min))]
        lowest, highest = min(lowest, float(seen.min())), max(highest, float(seen.max()))
        if start is not None and {a, b} <= set(start.types):
            axes.plot(
                r, start.energy(r, a, b), color=color, linewidth=1.0, linestyle="--", alpha=0.7, label=f"{label}, start"
            )
    axes.axhline(0, color=_TARGET, linewidth=0.6)
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
