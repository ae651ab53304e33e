"""Panels of targets against production: g(r), and distributions of bond lengths, angles and dihedral angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from numpy.typing import NDArray

from diffpair.engines.results import DistributionResult, ProductionResult, RdfResult
from diffpair.report.judgement import LEAST_BOUND
from diffpair.report.style import COLORS, TARGET, plain, style
from diffpair.targets.distribution import COORDINATES, Coordinate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Curves:
    """A target against production, [bins] each, and what the panel says of it. least: see LEAST_BOUND."""

    x: Array
    found: Array
    target: Array
    error: Array
    least: float
    x_label: str
    y_label: str
    difference: str
    figure: str


def draw_target(
    figure: Figure, cell: SubplotSpec, result: ProductionResult, target: RdfResult | DistributionResult, many: bool
) -> None:
    """One panel: production and target, and below their difference over two standard errors. many: names the state."""
    curves = _of_rdf(target) if isinstance(target, RdfResult) else _of_distribution(target)
    inner = cell.subgridspec(2, 1, height_ratios=[3.2, 1], hspace=0.1)
    top = figure.add_subplot(inner[0])
    bottom = figure.add_subplot(inner[1], sharex=top)
    top.plot(curves.x, curves.target, color=TARGET, linewidth=2.6, alpha=0.35, label="target")
    top.plot(curves.x, curves.found, color=COLORS[0], linewidth=1.2, label="production")
    style(top, ylabel=curves.y_label, ylim=(0, None))
    top.tick_params(labelbottom=False)
    top.legend(frameon=False, fontsize=8, loc="upper right")
    held_out = " (held out)" if result.held_out else ""
    name = f"{plain(result.state)}{held_out}\n" if many or held_out else ""
    top.set_title(f"{name}{curves.figure}", fontsize=9)

    difference = curves.found - curves.target
    error = np.nan_to_num(curves.error)
    bottom.fill_between(curves.x, -2 * error, 2 * error, color=COLORS[0], alpha=0.18, linewidth=0)
    bottom.plot(curves.x, difference, color=COLORS[1], linewidth=1.0)
    bottom.axhline(0, color=TARGET, linewidth=0.6)
    bound = 1.1 * max(float(np.max(np.abs(difference))), curves.least)
    style(bottom, xlabel=curves.x_label, ylabel=curves.difference, ylim=(-bound, bound))


def _of_rdf(rdf: RdfResult) -> _Curves:
    return _Curves(
        rdf.r, rdf.g, rdf.g_target, rdf.error, LEAST_BOUND, "r / nm", f"g(r), {plain('–'.join(rdf.pair))}",
        "g − target", f"mean |g − target| = {rdf.mae:.4f} (noise {rdf.mae_noise:.4f})",
    )  # fmt: skip


def _of_distribution(found: DistributionResult) -> _Curves:
    of = COORDINATES[len(found.kind)]
    p, target, error = (values * of.unit for values in (found.p, found.p_target, found.error))
    return _Curves(
        found.x / of.unit, p, target, error, LEAST_BOUND * float(target.max()), coordinate_label(of),
        f"p, {plain('–'.join(found.kind))} / {of.unit_name}$^{{-1}}$", "p − target",
        f"integral |p − target| = {found.l1:.4f} (noise {found.l1_noise:.4f})",
    )  # fmt: skip


def coordinate_label(of: Coordinate) -> str:
    """Of an axis: r / nm, theta / degree or phi / degree."""
    symbol = of.symbol if of.name == "bond" else rf"$\{of.symbol}$"
    return f"{symbol} / {of.unit_name}"
