"""Panels of the bonded terms of a potential: all bonds, all angles, all dihedrals, with their error bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from diffpair.bonded import BondedTerm
from diffpair.report.comparison import coordinate_label
from diffpair.report.curves import POINTS, from_zero, term_range
from diffpair.report.style import COLORS, TARGET, plain, style
from diffpair.tables import TableUncertainty
from diffpair.targets.distribution import COORDINATES


def draw_terms(
    axes: Axes, terms: Sequence[BondedTerm], start: Sequence[BondedTerm], uncertainty: TableUncertainty | None
) -> None:
    """The terms of one order, each with its lowest value as 0; those of the start dashed, a band of two standard
    deviations where there is one."""
    of = COORDINATES[len(terms[0].kind)]
    bands = {band.kind: band for band in (uncertainty.bonded if uncertainty is not None else ())}
    before = {term.kind: term for term in start}
    for index, term in enumerate(terms):
        color, label, band = COLORS[index % len(COLORS)], plain("–".join(term.kind)), bands.get(term.kind)
        x = term_range(term) if band is None else np.linspace(band.x[0], band.x[-1], POINTS)
        energy = from_zero(term, x)
        axes.plot(x / of.unit, energy, color=color, linewidth=1.6, label=label)
        if band is not None:
            two = 2 * np.interp(x, band.x, band.sigma)
            axes.fill_between(x / of.unit, energy - two, energy + two, color=color, alpha=0.2, linewidth=0)
        if term.kind in before and before[term.kind] != term:
            axes.plot(
                x / of.unit, from_zero(before[term.kind], x), color=color, linewidth=1.0, linestyle="--", alpha=0.7,
                label=f"{label}, start",
            )  # fmt: skip
    axes.axhline(0, color=TARGET, linewidth=0.6)
    style(axes, xlabel=coordinate_label(of), ylabel="U − min U / kJ mol$^{-1}$")
    axes.set_title(f"{of.name}s", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
