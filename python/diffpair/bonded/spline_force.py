"""A tabulated term as one of OpenMM's CustomBondForce, CustomAngleForce and CustomTorsionForce.

These take no tabulated functions. CustomCompoundBondForce does, but the CPU platform interprets its expressions and
compiles theirs (`benchmarks/production.py --cases bonded`). So the spline is written out. It is a cubic B-spline:
with s the coordinate in units of the spacing, k = floor(s) and t = s - k,

    U = ((1-t)^3 c_k + (3 t^3 - 6 t^2 + 4) c_{k+1} + (-3 t^3 + 3 t^2 + 3 t + 1) c_{k+2} + t^3 c_{k+3}) / 6

(C. de Boor, A Practical Guide to Splines, Springer 2001, chapter IX). The coefficients are global parameters of the
Context, which change without building it anew; binary trees of select() find the four.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import openmm
from numpy.typing import NDArray

Array = NDArray[np.float64]
Custom: TypeAlias = "openmm.CustomBondForce | openmm.CustomAngleForce | openmm.CustomTorsionForce"
# of particles: the force, and what it calls its coordinate
FORCES: dict[int, tuple[type[Custom], str]] = {
    2: (openmm.CustomBondForce, "r"),
    3: (openmm.CustomAngleForce, "theta"),
    4: (openmm.CustomTorsionForce, "theta"),
}
_SPLINE = (
    "((1-t)^3*p0 + (3*t^3-6*t^2+4)*p1 + (-3*t^3+3*t^2+3*t+1)*p2 + t^3*p3)/6",
    "t = s-min(floor(s), {last})",  # the upper end belongs to the last interval
)


def periodic_force(label: str, coefficients: Array, low: float, spacing: float) -> openmm.CustomTorsionForce:
    """For dihedrals: a spline of n intervals with n coefficients [n], which begin at `low` anew."""
    count = len(coefficients)
    trees = _trees([[f"{label}_{(k + shift) % count}" for k in range(count)] for shift in (-1, 0, 1, 2)])
    parts = [*_filled(count), *trees, f"s = (theta-({low!r}))/{spacing!r}"]
    force = openmm.CustomTorsionForce("; ".join(parts))
    _add_parameters(force, label, coefficients)
    return force


def open_force(
    order: int, label: str, coefficients: Array, low: float, high: float, wall: float
) -> openmm.CustomBondForce | openmm.CustomAngleForce:
    """For bonds and angles: n - 1 intervals from low to high with n + 2 coefficients; beyond, a straight line with the
    slope of the end and a harmonic wall."""
    kind, coordinate = FORCES[order]
    intervals = len(coefficients) - 3
    spacing = (high - low) / intervals
    names = [f"{label}_{k}" for k in range(len(coefficients))]
    spline, *definitions = _filled(intervals)
    parts = [
        f"{spline} + {_slope(names[:3], spacing)}*min(x, 0) + {_slope(names[-3:], spacing)}*max(x, 0) "
        f"+ 0.5*{wall!r}*x^2",
        *definitions,
        *_trees([names[shift : shift + intervals] for shift in range(4)]),
        f"s = (c-{low!r})/{spacing!r}",
        f"x = {coordinate}-c",
        f"c = min(max({coordinate}, {low!r}), {high!r})",
    ]
    force = kind("; ".join(parts))
    _add_parameters(force, label, coefficients)
    return force


def write_parameters(force: Custom, coefficients: Array, context: openmm.Context) -> None:
    """Other coefficients for a force of this module, and for the Context that holds it."""
    for index, value in enumerate(coefficients.tolist()):
        force.setGlobalParameterDefaultValue(index, value)
        context.setParameter(force.getGlobalParameterName(index), value)


def parameter_prefix(order: str, kind: tuple[str, ...]) -> str:
    """What the names of a term's global parameters begin with, such as bond_A_B: letters, digits and underscores, as
    OpenMM's expressions want it, and different for different terms."""
    return "_".join([order, *("".join(map(_written, name)) for name in kind)])


def _written(character: str) -> str:
    return character if character.isascii() and character.isalnum() else f"__{ord(character):x}__"


def _filled(intervals: int) -> list[str]:
    return [part.format(last=intervals - 1) for part in _SPLINE]


def _slope(names: list[str], spacing: float) -> str:
    """Of a B-spline at the middle one of three neighbouring nodes."""
    return f"(({names[2]}-{names[0]})/{2 * spacing!r})"


def _trees(names: list[list[str]]) -> list[str]:
    """p0 to p3: the coefficients that belong to the interval of s."""
    return [f"p{k} = {_tree(each, 0)}" for k, each in enumerate(names)]


def _tree(names: list[str], first: int) -> str:
    """That one of the names which belongs to s, the first of them to s < first + 1."""
    if len(names) == 1:
        return names[0]
    half = len(names) // 2
    return f"select(step(s-{first + half}), {_tree(names[half:], first + half)}, {_tree(names[:half], first)})"


def _add_parameters(force: Custom, label: str, coefficients: Array) -> None:
    for index, value in enumerate(coefficients.tolist()):
        force.addGlobalParameter(f"{label}_{index}", value)
