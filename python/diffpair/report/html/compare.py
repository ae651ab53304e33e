"""Several fits side by side: their numbers in a table, their curves in the same axes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffpair.atomic_file import write_atomically
from diffpair.errors import DiffPairError
from diffpair.report.curves import learned_rows, seen_part
from diffpair.report.files import POTENTIAL
from diffpair.report.html.figure import Data, Figure, color
from diffpair.report.html.folder import FitFolder, damaged, read_folder
from diffpair.report.html.potential_figures import CURVE_POINTS, ROOM, first_distance, reached_of
from diffpair.report.html.render import LIMIT, render
from diffpair.report.html.scale import span
from diffpair.report.html.svg import Axes, Band, Line, draw
from diffpair.report.html.target_figures import labels_of
from diffpair.report.html.targets import TargetReport
from diffpair.report.html.verdict import Verdict, judge

COMPARISON = "comparison.html"
MOST = 6  # fits: as many colours as there are


@dataclass(frozen=True)
class Column:
    """A fit in the tables. css: its colour."""

    name: str
    css: str
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """What is compared. facts: (label, value per fit). targets: (state, target, per fit what it reached or None).
    configs: (against which fit, lines of a unified diff)."""

    columns: list[Column]
    facts: list[tuple[str, list[str]]]
    targets: list[tuple[str, str, list[TargetReport | None]]]
    potential: list[Figure]
    curves: list[Figure]
    configs: list[tuple[str, list[str]]]


def write_comparison(folders: Sequence[Path], out: Path | None = None) -> Path:
    """Write one page on two or more fits. The first is the one that the others are compared with.

    Args:
        out: file; comparison.html in the present folder by default.

    Returns: the file. Raises DiffPairError: fewer than two folders or more than six, or one that cannot be read.
    """
    if not 2 <= len(folders) <= MOST:
        raise DiffPairError(f"a comparison is of 2 to {MOST} fits, not of {len(folders)}: name the folder of each")
    fits = [read_folder(folder) for folder in folders]
    target = Path(COMPARISON) if out is None else out
    comparison = comparison_of(fits)
    page = render("compare.html", comparison=comparison, tables=True)
    if len(page.encode()) > LIMIT:
        page = render("compare.html", comparison=comparison, tables=False)
    write_atomically(target, page)
    return target


def comparison_of(fits: Sequence[FitFolder]) -> Comparison:
    """The fits as tables and figures, in their order."""
    names = _names(fits)
    columns = [Column(name, color(i), judge(fit)) for i, (name, fit) in enumerate(zip(names, fits, strict=True))]
    rows = _targets(fits)
    shown = [each for _, _, each in rows if any(one is not None and one.curve is not None for one in each)]
    with damaged(fits[0].path / POTENTIAL):
        facts = _facts(fits)
    return Comparison(
        columns, facts, rows, _potentials(fits, names), [_curves(each, names) for each in shown],
        _configs(fits, names),
    )  # fmt: skip


def _names(fits: Sequence[FitFolder]) -> list[str]:
    """Of the folders; their paths where two have one name, with a number where they are the same."""
    names = [fit.name for fit in fits]
    if len(set(names)) < len(names):
        names = [str(fit.path) for fit in fits]
    return [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]


def _facts(fits: Sequence[FitFolder]) -> list[tuple[str, list[str]]]:
    def of(key: str, form: str) -> list[str]:
        return [format(fit.summary[key], form) if key in fit.summary else "" for fit in fits]

    origins = [fit.provenance for fit in fits]
    return [
        ("iterations", [str(len(fit.history)) for fit in fits]),
        ("MD steps of the fit", of("md_steps", ",")),
        ("time of the fit / s", of("wall_seconds", ".0f")),
        ("form of U", [str(origin.get("form", "")) for origin in origins]),
        ("cutoff / nm", [f"{fit.potentials[0].table.cutoff:g}" if fit.potentials else "" for fit in fits]),
        ("knots", [str(fit.potentials[0].table.knots) if fit.potentials else "" for fit in fits]),
        ("gradient", [str((origin.get("gradient") or {}).get("method", "")) for origin in origins]),
        ("seed", [str(origin.get("seed", "")) for origin in origins]),
        ("DiffPair", [str((origin.get("versions") or {}).get("diffpair", "")) for origin in origins]),
    ]


def _targets(fits: Sequence[FitFolder]) -> list[tuple[str, str, list[TargetReport | None]]]:
    """Every target of any of them, by state and name."""
    found: dict[tuple[str, str], list[TargetReport | None]] = {}
    for index, fit in enumerate(fits):
        for target in (target for state in fit.states for target in state.targets):
            each = found.setdefault((target.state, target.name), [None] * len(fits))
            each[index] = target
    return [(state, name, each) for (state, name), each in found.items()]


def _curves(each: Sequence[TargetReport | None], names: Sequence[str]) -> Figure:
    """Of one target the curves of all fits, over their differences from their targets."""
    having = [(i, one, one.curve) for i, one in enumerate(each) if one is not None and one.curve is not None]
    _, first, reference = having[0]
    labels = labels_of(reference)
    upper, lower, bands, legend = [], [], [], [("wanted", "target")]
    columns, values = [labels.header[0]], [reference.x * labels.unit]
    wanted = reference.target * labels.per
    same = all(_alike(reference.x, curve.x) and _alike(reference.target, curve.target) for _, _, curve in having)
    upper.append(Line(reference.x * labels.unit, wanted, "wanted"))
    every, off = [wanted], []
    for index, _, curve in having:
        x, found, css = curve.x * labels.unit, curve.found * labels.per, color(index)
        upper.append(Line(x, found, css))
        lower.append(Line(x, found - curve.target * labels.per, css))
        legend.append((css, names[index]))
        every.append(found)
        off.append(np.abs(found - curve.target * labels.per))
        on_first = found if _alike(reference.x, curve.x) else np.interp(reference.x, curve.x, curve.found) * labels.per
        columns.append(f"{labels.symbol}_{names[index]}")
        values.append(on_first)
    columns.append(f"{labels.symbol}_target")
    values.append(wanted)
    two = 2 * np.nan_to_num(reference.error) * labels.per
    bands.append(Band(reference.x * labels.unit, -two, two, color(having[0][0])))
    bound = 1.1 * max(float(np.max(np.concatenate(off))), 1e-3 * float(np.max(wanted)), 1e-12)
    ends = [curve.x * labels.unit for _, _, curve in having]
    across = (float(min(x[0] for x in ends)), float(max(x[-1] for x in ends)))
    svg = draw(
        f"{first.name}, {first.state}", labels.x, across, Axes(labels.y, span(np.concatenate(every)), upper),
        Axes("difference", (-bound, bound), lower, bands, zero=True),
    )  # fmt: skip
    told = f"state {first.state}; band: 2 standard errors of {names[having[0][0]]}"
    if not same:
        told += "; the fits have different targets, drawn is the first, and each difference is from its own"
    data = Data(f"compare-{first.kind}-{'-'.join(reference.types)}-{first.state}", tuple(columns), tuple(values))
    return Figure(first.name, told, svg, legend, data)


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12))


def _potentials(fits: Sequence[FitFolder], names: Sequence[str]) -> list[Figure]:
    """U(r) of each pair in all fits: of the first table where a fit has several."""
    having = [(index, fit) for index, fit in enumerate(fits) if fit.potentials]
    tables = [fit.potentials[0].table for _, fit in having]
    pairs = dict.fromkeys(frozenset(table.pairs[row]) for table in tables for row in learned_rows(table))
    return [_pair(pair, having, names) for pair in pairs]


def _pair(pair: frozenset[str], having: Sequence[tuple[int, FitFolder]], names: Sequence[str]) -> Figure:
    a, b = min(pair), max(pair)
    having = [(index, fit) for index, fit in having if pair <= set(fit.potentials[0].table.types)]
    tables = [fit.potentials[0].table for _, fit in having]
    low = min(first_distance(fit.potentials[0].table, reached_of(fit)) for _, fit in having)
    r = np.linspace(low, max(table.cutoff for table in tables), CURVE_POINTS)
    lines, bands, legend, seen = [], [], [], []
    columns, values = ["r_nm"], [r]
    for index, fit in having:
        table, band, css = fit.potentials[0].table, fit.potentials[0].band, color(index)
        energy = table.energy(r, a, b)
        lines.append(Line(r, energy, css))
        legend.append((css, names[index]))
        columns.append(f"U_{names[index]}_kJ/mol")
        values.append(energy)
        seen.append(seen_part(r, energy, pair, reached_of(fit), table.r_min))
        if band is not None:
            sigma = band.at(r, a, b)
            bands.append(Band(r, energy - 2 * sigma, energy + 2 * sigma, css))
            columns.append(f"sigma_{names[index]}_kJ/mol")
            values.append(sigma)
    axes = Axes("U / kJ mol⁻¹", span(np.concatenate(seen), margin=ROOM), lines, bands, zero=True)
    svg = draw(f"U of {a}–{b}", "r / nm", (float(r[0]), float(r[-1])), axes)
    several = any(len(fit.potentials) > 1 for _, fit in having)
    told = "bands: 2 standard deviations" + (f"; of {POTENTIAL}, where a fit has several tables" if several else "")
    return Figure(f"U(r) of {a}–{b}", told, svg, legend, Data(f"compare-U-{a}-{b}", tuple(columns), tuple(values)))


def _configs(fits: Sequence[FitFolder], names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """How the config of each fit differs from that of the first."""
    texts = [str(fit.provenance.get("config_text") or "").splitlines() for fit in fits]
    return [
        (name, list(difflib.unified_diff(texts[0], text, names[0], name, lineterm="", n=1)))
        for name, text in zip(names[1:], texts[1:], strict=True)
    ]
