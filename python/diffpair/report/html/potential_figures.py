"""U(r) of every pair, and U of bonds, angles and dihedrals, with their error bands and what the fit started from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffpair.bonded import BondedTerm
from diffpair.bonded.term import ORDERS
from diffpair.report.curves import Reached, from_zero, learned_rows, reached_by, seen_part, term_range
from diffpair.report.html.figure import Data, Figure, color
from diffpair.report.html.folder import FitFolder, Potential
from diffpair.report.html.scale import span
from diffpair.report.html.svg import Axes, Band, Line, draw
from diffpair.tables import PairTable
from diffpair.targets.distribution import COORDINATES

Array = NDArray[np.float64]
CURVE_POINTS = 300
ROOM = 0.12  # above and below U where production has been


def potential_figures(fit: FitFolder) -> list[Figure]:
    """Of every table of a fit: its pairs together, and each order of bonded terms. The start is that of the first."""
    reached = reached_of(fit)
    figures = []
    for index, potential in enumerate(fit.potentials):
        start = fit.start if index == 0 else None
        figures.append(_pairs(potential, start, reached))
        for order in ORDERS.values():
            terms = [term for term in potential.table.bonded if term.order == order]
            if terms:
                figures.append(_terms(potential, terms, start))
    return figures


def reached_of(fit: FitFolder) -> Reached:
    """See `reached_by`."""
    cutoff = min((potential.table.cutoff for potential in fit.potentials), default=0.0)
    curves = [t.curve for state in fit.states for t in state.targets if t.kind == "rdf" and t.curve is not None]
    return reached_by(((c.types, c.x, c.found) for c in curves), cutoff)


def first_distance(table: PairTable, reached: Reached) -> float:
    """From where U(r) is drawn, nm."""
    return max(table.r_min, 0.9 * min(reached.values(), default=table.r_min))


def _pairs(potential: Potential, start: PairTable | None, reached: Reached) -> Figure:
    table, band = potential.table, potential.band
    r = np.linspace(first_distance(table, reached), table.cutoff, CURVE_POINTS)
    lines, bands, legend, seen = [], [], [], []
    columns, values = ["r_nm"], [r]
    for index, row in enumerate(learned_rows(table)):
        a, b = table.pairs[row]
        energy, css = table.energy(r, a, b), color(index)
        columns.append(f"U_{a}-{b}_kJ/mol")
        values.append(energy)
        if band is not None:
            sigma = band.at(r, a, b)
            bands.append(Band(r, energy - 2 * sigma, energy + 2 * sigma, css))
            columns.append(f"sigma_{a}-{b}_kJ/mol")
            values.append(sigma)
        if start is not None and {a, b} <= set(start.types):
            before = start.energy(r, a, b)
            lines.append(Line(r, before, f"dashed {css}"))
            columns.append(f"start_{a}-{b}_kJ/mol")
            values.append(before)
        lines.append(Line(r, energy, css))
        legend.append((css, f"{a}–{b}"))
        seen.append(seen_part(r, energy, frozenset((a, b)), reached, table.r_min))
    if start is not None:
        legend.append(("dashed", "start of the fit"))
    at = f" at {potential.label}" if potential.label else ""
    told = "bands: 2 standard deviations" if band is not None else "its file holds no error band"
    axes = Axes("U / kJ mol⁻¹", span(np.concatenate(seen), margin=ROOM), lines, bands, zero=True)
    svg = draw(f"pair potential{at}", "r / nm", (float(r[0]), float(r[-1])), axes)
    return Figure(f"U(r){at}", told, svg, legend, Data(f"U-{potential.label or 'r'}", tuple(columns), tuple(values)))


def _terms(potential: Potential, terms: Sequence[BondedTerm], start: PairTable | None) -> Figure:
    """Each with its lowest value as 0."""
    of = COORDINATES[len(terms[0].kind)]
    known = {band.kind: band for band in (potential.band.bonded if potential.band is not None else ())}
    before = {term.kind: term for term in (start.bonded if start is not None else ())}
    ends = [known[t.kind].x if t.kind in known else term_range(t) for t in terms]
    x = np.linspace(min(each[0] for each in ends), max(each[-1] for each in ends), CURVE_POINTS)
    lines, bands, legend, seen = [], [], [], []
    columns, values = [of.header[0]], [x / of.unit]
    for index, (term, end) in enumerate(zip(terms, ends, strict=True)):
        css, name = color(index), "-".join(term.kind)
        energy = np.where((x >= end[0] - 1e-9) & (x <= end[-1] + 1e-9), from_zero(term, x), np.nan)
        columns.append(f"U_{name}_kJ/mol")
        values.append(energy)
        if term.kind in known:
            sigma = np.interp(x, known[term.kind].x, known[term.kind].sigma)
            bands.append(Band(x / of.unit, energy - 2 * sigma, energy + 2 * sigma, css))
            columns.append(f"sigma_{name}_kJ/mol")
            values.append(sigma)
        if term.kind in before and before[term.kind] != term:
            earlier = np.where(np.isfinite(energy), from_zero(before[term.kind], x), np.nan)
            lines.append(Line(x / of.unit, earlier, f"dashed {css}"))
            columns.append(f"start_{name}_kJ/mol")
            values.append(earlier)
        lines.append(Line(x / of.unit, energy, css))
        legend.append((css, "–".join(term.kind)))
        seen.append(energy)
    if any(line.css.startswith("dashed") for line in lines):
        legend.append(("dashed", "start of the fit"))
    symbol = {"bond": "r / nm", "angle": "θ / °", "dihedral": "φ / °"}[of.name]
    axes = Axes("U − min U / kJ mol⁻¹", span(np.concatenate(seen)), lines, bands, zero=True)
    at = f" at {potential.label}" if potential.label else ""
    svg = draw(f"{of.name}s{at}", symbol, (float(x[0] / of.unit), float(x[-1] / of.unit)), axes)
    told = "bands: 2 standard deviations, lowest value as 0" if bands else "lowest value as 0"
    data = Data(f"U-{of.name}s-{potential.label}", tuple(columns), tuple(values))
    return Figure(f"U of {of.name}s{at}", told, svg, legend, data)
