"""Production beside its target, and below their difference over two standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.report.html.figure import Data, Figure, color
from diffpair.report.html.scale import span
from diffpair.report.html.svg import Axes, Band, Line, draw
from diffpair.report.html.targets import Curve, TargetReport
from diffpair.report.judgement import LEAST_BOUND
from diffpair.targets.distribution import COORDINATES

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Labels:
    """Of a kind of curve. unit, per: what x and y are multiplied by to be shown. header: of the CSV columns."""

    x: str
    y: str
    symbol: str
    unit: float
    per: float
    header: tuple[str, str]


def labels_of(curve: Curve) -> Labels:
    """How a curve is shown: angles in degrees."""
    if curve.kind == "rdf":
        return Labels("r / nm", "g(r)", "g", 1.0, 1.0, ("r_nm", "g"))
    if curve.kind == "vacf":
        return Labels("t / ps", "C(t) / C(0)", "C", 1.0, 1.0, ("t_ps", "C"))
    of = COORDINATES[len(curve.types)]
    symbol = {"bond": "r", "angle": "θ", "dihedral": "φ"}[of.name]
    short = "°" if of.unit_name == "degree" else of.unit_name
    return Labels(
        f"{symbol} / {short}", f"p / {short}⁻¹", "p", 1 / of.unit, of.unit,
        (of.header[0], of.header[1]),
    )  # fmt: skip


def target_figure(target: TargetReport) -> Figure:
    """Of a target with a curve."""
    curve = target.curve
    assert curve is not None
    labels = labels_of(curve)
    x = curve.x * labels.unit
    found, wanted, error = (values * labels.per for values in (curve.found, curve.target, curve.error))
    off, two = found - wanted, 2 * np.nan_to_num(error)
    across = (float(x[0]), float(x[-1]))
    # half a line's width of room below 0, which g and p do not go below
    top, low = span(np.concatenate([found, wanted]))[1], min(0.0, float(np.min([found, wanted])))
    upper = Axes(
        labels.y, (low - 0.02 * (top - low), top), [Line(x, wanted, "wanted"), Line(x, found, color(0))],
        [Band(x, found - two, found + two, color(0))],
    )  # fmt: skip
    least = LEAST_BOUND * (1.0 if curve.kind in ("rdf", "vacf") else float(wanted.max()))
    bound = 1.1 * max(float(np.max(np.abs(off))), float(np.percentile(two, 90)), least)
    lower = Axes("difference", (-bound, bound), [Line(x, off, color(1))], [Band(x, -two, two, color(0))], zero=True)
    columns = (labels.header[0], labels.header[1], f"{labels.symbol}_target", "standard_error")
    name = f"{target.kind}-{'-'.join(curve.types) or 'velocities'}-{target.state}"
    data = Data(name, columns, (x, found, wanted, error))
    svg = draw(f"{target.name}, {target.state}", labels.x, across, upper, lower)
    legend = [("wanted", "target"), (color(0), "production ± 2 errors"), (color(1), "difference")]
    return Figure(target.name, target.told, svg, legend, data, target.level, target.ratio)
