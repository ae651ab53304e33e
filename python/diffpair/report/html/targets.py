"""What production shows of each target, and whether that is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, hypot, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.report.judgement import FAR, LARGE, LARGE_L1

Array = NDArray[np.float64]
Json = dict[str, Any]

HUGE = 1e100  # no number of a fit is; axes need numbers whose differences are finite
# Mean |difference| over what the noise of production alone gives, up to which a curve is reproduced within its noise.
# That of the target comes on top: sqrt(2) where it is as noisy as production, 2 where its noise is 1.7 times as large.
WITHIN = 2.0
# A number in standard errors, and the largest of a VACF's lags: of some hundred, one is beyond three by chance.
WITHIN_ERRORS, WITHIN_LARGEST = 2.0, 3.0
_TYPES = {"rdf": 2, "vacf": 0, "bond": 2, "angle": 3, "dihedral": 4}
SAME, CLOSE, OFF, UNKNOWN = "within noise", "close", "off", "noise unknown"
WORST_FIRST = (OFF, CLOSE, UNKNOWN, SAME)


@dataclass(frozen=True)
class Curve:
    """Production and target. kind: rdf, vacf, bond, angle or dihedral. x: nm, ps or radians, [n]. found, target, error:
    [n]; the standard error is NaN where it is not known. misfit: see RdfResult."""

    kind: str
    types: tuple[str, ...]
    x: Array
    found: Array
    target: Array
    error: Array
    misfit: float | None = None


@dataclass(frozen=True)
class TargetReport:
    """One target. name: such as g(r) of A-A. measure: what the deviation is. told: the outcome, with its noise.
    ratio: deviation over noise. level: SAME, CLOSE, OFF or UNKNOWN. curve: None for numbers."""

    state: str
    held_out: bool
    kind: str
    name: str
    measure: str
    deviation: float
    noise: float
    told: str
    level: str
    curve: Curve | None = None

    @property
    def ratio(self) -> float:
        return self.deviation / max(self.noise, 1e-300)


@dataclass(frozen=True)
class StateReport:
    """A state and its targets. facts: short phrases on it. converged: production was long enough; None: not known."""

    name: str
    held_out: bool
    facts: list[str]
    converged: bool | None
    notes: list[str]
    targets: list[TargetReport]


@dataclass(frozen=True)
class Production:
    """Of a state, what results.json tells beside its curves. own_errors: of targets that are numbers, by kind."""

    temperature: float
    particles: int
    steps: int
    converged: bool
    notes: list[str]
    own_errors: dict[str, list[float]]


def number(value: Any) -> float:
    """A number that can be drawn. Raises TypeError or ValueError."""
    found = float(value)
    if not abs(found) < HUGE:
        raise ValueError(f"{found} is no number of a fit")
    return found


def short(value: float) -> str:
    """A number as reports tell it: two digits, no exponent where it can be read without."""
    return f"{value:#.2g}".rstrip(".") if 1e-4 <= abs(value) < 100 else f"{value:.4g}"


def read_curves(state: Json) -> list[Curve]:
    """The curves of a state in results.json. Raises KeyError, TypeError or ValueError."""
    curves = []
    for entry in state["curves"]:
        x, found, target, error = (np.array(entry[key], dtype=np.float64) for key in ("x", "found", "target", "error"))
        if x.ndim != 1 or not x.shape == found.shape == target.shape == error.shape or len(x) < 2:
            raise ValueError("a curve's columns are not of one length")
        if not (np.abs([x, found, target, np.nan_to_num(error)]) < HUGE).all() or not (np.diff(x) > 0).all():
            raise ValueError("a curve holds a number that is not finite, or x that does not rise")
        kind, types = str(entry["kind"]), tuple(str(name) for name in entry["types"])
        if len(types) != _TYPES.get(kind):
            raise ValueError(f"there is no curve of the kind {kind!r} with {len(types)} types")
        misfit = entry.get("misfit")
        curves.append(Curve(kind, types, x, found, target, error, None if misfit is None else number(misfit)))
    return curves


def read_production(state: Json) -> Production:
    """The rest of a state in results.json. Raises KeyError, TypeError or ValueError."""
    own = {kind: [number(error) for error in state["own_errors"][kind]] for kind in ("pressure", "density")}
    return Production(
        number(state["temperature_K"]), int(state["particles"]), int(state["steps"]), bool(state["converged"]),
        [str(note) for note in state["notes"]], own,
    )  # fmt: skip


def read_state(state: Json, curves: Sequence[Curve], more: Production | None) -> StateReport:
    """A state of summary.json, with its curves and what else results.json tells (None where that file is missing).
    Raises KeyError, TypeError or ValueError."""
    facts = []
    if more:
        facts += [f"{more.temperature:g} K", f"{more.particles:,} particles"]
    if state["density"]["value"] is not None:
        facts.append(f"density {_with_error(state['density'], 'g/cm³')}")
    if state["pressure"]["value"] is not None:
        facts.append(f"pressure {_with_error(state['pressure'], 'bar')}")
    if more:
        facts.append(f"production of {more.steps:,} steps")
    own = {kind: iter(errors) for kind, errors in (more.own_errors if more else {}).items()}
    targets = []
    for entry in state["targets"]:
        kind = entry["kind"]
        named = entry.get("pair") or entry.get("types") or []
        curve = next((c for c in curves if c.kind == kind and list(c.types) == list(named)), None)
        read = _number if kind in ("pressure", "density") else _curve
        known_to = next(own.get(kind, iter(())), 0.0)
        targets.append(read(str(state["name"]), bool(state["held_out"]), entry, curve, known_to))
    converged, notes = (more.converged, more.notes) if more else (None, [])
    return StateReport(str(state["name"]), bool(state["held_out"]), facts, converged, notes, targets)


def _with_error(found: Json, unit: str) -> str:
    return f"{_shown(float(found['value']), float(found['error'] or 0))} {unit}"


def _shown(value: float, error: float) -> str:
    """A number with its error, to the two digits that the error has; without one where there is none."""
    if not 0 < error < np.inf:
        return f"{value:.4g}".replace("-", "−")
    decimals = max(0, 1 - floor(log10(error)))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}".replace("-", "−")


def _number(state: str, held_out: bool, entry: Json, curve: Curve | None, known_to: float) -> TargetReport:
    """A pressure or density. known_to: the target's own error."""
    value, target, error = (number(entry[key]) for key in ("value", "target", "error"))
    deviation, noise = abs(value - target), hypot(error, known_to)
    level = SAME if deviation <= WITHIN_ERRORS * noise else CLOSE if deviation <= FAR * noise else OFF
    told = f"{_shown(value, error)} {entry['unit']}, target {_shown(target, known_to)}"
    measure = f"|{entry['kind']} − target| / {entry['unit']}"
    return TargetReport(state, held_out, entry["kind"], entry["kind"], measure, deviation, noise, told, level)


def _curve(state: str, held_out: bool, entry: Json, curve: Curve | None, _: float) -> TargetReport:
    kind, types = entry["kind"], "–".join(entry.get("pair") or entry.get("types") or [])
    if kind == "rdf":
        name, measure, large, within = f"g(r) of {types}", "mean |g − target|", LARGE, WITHIN
        deviation, noise = number(entry["mae"]), number(entry["mae_noise"])
    elif kind == "vacf":
        name, measure, large, within = "C(t)/C(0) of the velocities", "largest |C − target|", LARGE, WITHIN_LARGEST
        deviation, noise = number(entry["max_deviation"]), number(entry["error"])
    else:
        name, measure, large, within = f"{kind} {types}", "∫ |p − target|", LARGE_L1, WITHIN
        deviation, noise = number(entry["l1"]), number(entry["l1_noise"])
    # a common factor that the target's scale_error admits is no misfit
    judged = deviation if curve is None or curve.misfit is None else float(curve.misfit)
    if judged >= max(large, FAR * noise):
        level = OFF
    elif not entry.get("noise_known", True):
        level = UNKNOWN
    else:
        level = SAME if judged <= within * noise else CLOSE
    told = f"{measure} {short(deviation)}, noise {short(noise)}"
    return TargetReport(state, held_out, kind, name, measure, deviation, noise, told, level, curve)
