"""Is r in the unit that the user says it is?

Three looks: at the header, at r alone, and, where the number density is known, at both together. The last one is the
sharp one: r in angstrom read as nm is ten times too large, and at the state's density that many particles do not fit.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.targets.rdf_target import RdfTarget
from diffpair.targets.sampled import begins_with_core, onset
from diffpair.targets.units import convert, parse

_SHORTEST = 0.05  # nm; no two atoms come nearer than this (a hydrogen molecule is 0.074 nm long)

# Particles of one type that keep a distance d fill space at most as face-centred cubic: rho d^3 <= sqrt(2). The onset
# of g is a little below the distance that most keep. Unlike particles may keep further apart, but not much further.
_CLOSEST_PACKING = 2.0 ** (1.0 / 6.0)
_UNLIKE_ALLOWANCE = 2.0
# Below this a particle has less than 0.005 neighbours within the onset's distance: no liquid or dense gas is so. Dilute
# solutes are, but particles that are not bonded do not come as near as _CONTACT nm.
_MOST_DILUTE, _CONTACT = 0.1, 0.15

_HEADER_UNITS = (
    ("angstrom", re.compile(r"(?i:angstrom|ångstr|å|\bangs?\b|\\aa\b)|(?:[\[(_]|/\s?)A(?=[\])\s]|$)")),
    ("nm", re.compile(r"(?<![a-z])nm(?![a-z])|nanomet", re.IGNORECASE)),
    ("pm", re.compile(r"(?<![a-z])pm(?![a-z])|picomet", re.IGNORECASE)),
    ("um", re.compile(r"(?<![a-z])[uµ]m(?![a-z])|micromet", re.IGNORECASE)),
    ("bohr", re.compile(r"bohr|(?<![a-z])a\.?u\.?(?![a-z])", re.IGNORECASE)),
)
_REDUCED = re.compile(r"r\s?\*|(?i:r|dist\w*)\s?/\s?(?:sigma|σ)")  # r / sigma, as of Lennard-Jones fluids


@lru_cache(maxsize=32)
def length_in_nm(unit: str) -> float:
    """How many nm one ``unit`` is: the name of a unit, or a length such as "0.34 nm" for r in units of a sigma.

    Raises DiffPairError if pint does not know it, or it is no length above 0.
    """
    length = parse(unit, "nm", "0.34 nm") if unit[:1].isdigit() else convert(1.0, unit, "nm")
    if not length > 0:
        raise DiffPairError(f"{unit!r} is no length that r could be counted in")
    return length


def unit_in(name: str) -> str | None:
    """The unit that the name of a column says its numbers are in, or None."""
    return next((unit for unit, pattern in _HEADER_UNITS if pattern.search(name)), None)


def check_header(path: Path, name: str, r_unit: str) -> None:
    """Refuse a file whose name for r, "" without one, says another unit than ``r_unit``, or a sigma."""
    if _REDUCED.match(name) and not r_unit[:1].isdigit():
        raise DiffPairError(
            f"{path}: the header {name!r} says that r is in units of a sigma; say how long that is, for example with "
            f"r_unit: 0.34 nm"
        )
    said = unit_in(name)
    if said is not None and not math.isclose(length_in_nm(said), length_in_nm(r_unit), rel_tol=1e-9):
        raise DiffPairError(
            f"{path}: the header {name!r} says that r is in {said}, but r_unit is {r_unit}; set r_unit: {said}"
        )


def check_scale(path: Path, r: NDArray[np.float64], g: NDArray[np.float64], r_unit: str) -> None:
    """Refuse lengths, r in nm [n], that are too short for atoms. What is too long is a matter of the box."""
    begin = onset(r, g)
    if begin < _SHORTEST and begins_with_core(g):
        raise DiffPairError(
            f"{path}: neighbours begin at r = {begin:.3g} nm, nearer than any two atoms can be; "
            f"is r_unit = {r_unit} right?"
        )


def check_unit(target: RdfTarget, number_density: float) -> None:
    """Refuse a target whose first neighbours are at a distance impossible at this density.

    Args:
        target: the target.
        number_density: particles of the target's two types per nm^3.

    Raises:
        DiffPairError: r appears to be in another unit than the file's r_unit.
    """
    if not number_density > 0:
        raise DiffPairError(f"{target.label}: the number density {number_density} nm^-3 must be positive")
    spacing = number_density ** (-1.0 / 3.0)
    limit = _CLOSEST_PACKING * (1.0 if target.pair[0] == target.pair[1] else _UNLIKE_ALLOWANCE)
    begin = target.onset
    tell = (
        f"{target.label}: neighbours begin at r = {begin:.3g} nm, but at the state's density of "
        f"{number_density:.4g} nm^-3 the mean spacing is {spacing:.3g} nm: r appears not to be in {target.r_unit}"
    )
    if begin > limit * spacing:
        raise DiffPairError(tell + _suggest(begin, spacing, target.r_unit))
    dilute = begin < _MOST_DILUTE * spacing and target.r_max < spacing
    if dilute and begin < _CONTACT and begins_with_core(target.g):
        raise DiffPairError(tell + _suggest(begin, spacing, target.r_unit))


def _suggest(begin: float, spacing: float, r_unit: str) -> str:
    for unit in ("angstrom", "nm", "pm"):
        other = begin * length_in_nm(unit) / length_in_nm(r_unit)
        if 0.5 * spacing < other < _CLOSEST_PACKING * spacing:
            return f"; perhaps r_unit should be {unit}"
    return ""
