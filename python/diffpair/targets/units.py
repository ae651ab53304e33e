"""Quantities with units, as users write them: "2.5 nm", "0.845 nm^-3", "120.27 K"."""

from __future__ import annotations

import math
import re
from functools import cache
from numbers import Real  # numpy's scalars too
from typing import Any

from diffpair.errors import DiffPairError

# Pint works out whatever a unit says, 9^9^9 included, which takes for ever. So a unit is short, only names are raised
# to a power, and a power has two digits at most.
_LONGEST_UNIT = 100
_POWER, _RAISED = r"(?:\^|\*\*)", "⁰¹²³⁴-⁹"
_NO_UNIT = re.compile(
    rf"""[#;,:!?=<>@&|~$'"\\\[\]{{}}]|[()]{{4}}|[\d){_RAISED}]\s*{_POWER}|\d[{_RAISED}⁻⁺]|[{_RAISED}]{{3}}|"""
    rf"{_POWER}\s*\(|{_POWER}\s*[+-]?\s*\d{{3}}"
)
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$", re.DOTALL)


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


def convert(value: float, unit: str, to: str) -> float:
    """A number in another unit. Masses and energies count per particle and per mole alike.

    Args:
        value: in `unit`.
        unit: what pint knows, such as "kcal/mol".
        to: the unit that is wanted.

    Returns:
        The value in `to`.

    Raises:
        DiffPairError: the unit is unknown or measures something else.

    Examples:
        >>> from diffpair.targets.units import convert
        >>> round(convert(1.0, "kcal/mol", "kJ/mol"), 6)
        4.184
    """
    import pint

    registry = _registry()
    if len(unit) > _LONGEST_UNIT or _NO_UNIT.search(unit):
        shown = unit if len(unit) <= _LONGEST_UNIT else f"{unit[:40]}..."
        raise DiffPairError(f"{shown!r} is not a unit")
    try:
        quantity = registry.Quantity(value, unit)
    except Exception:  # pint raises a dozen kinds, tokenizer errors included, for text that is no unit
        raise DiffPairError(f"{unit!r} is not a unit") from None
    target = registry.Quantity(1.0, to)
    for factor in (1, 1 / registry.avogadro_constant, registry.avogadro_constant):
        candidate = quantity if factor == 1 else quantity * factor if _scales(quantity) else None
        if candidate is not None and candidate.is_compatible_with(target):
            try:
                return float(candidate.to(to).magnitude)
            except pint.errors.PintError:
                break
    raise DiffPairError(f"{unit!r} is not a unit of {_dimension(to)} such as {to}")


def parse(text: object, to: str, example: str) -> float:
    """The value of a quantity.

    Args:
        text: such as "2.5 nm", or an OpenMM Quantity.
        to: the unit that is wanted.
        example: a quantity that the error shows.

    Returns:
        The value in `to`.

    Raises:
        DiffPairError: no unit, an unknown one, or one that measures something else.

    Examples:
        >>> from diffpair.targets.units import parse
        >>> parse("25 angstrom", "nm", "2.5 nm")
        2.5
        >>> parse("2.5", "nm", "2.5 nm")
        Traceback (most recent call last):
            ...
        diffpair.errors.DiffPairError: needs a unit, for example '2.5 nm', not just '2.5'
    """
    if type(text).__module__.startswith("openmm.unit"):
        return _of_openmm(text, to)
    if isinstance(text, bool) or not isinstance(text, str | Real):
        raise DiffPairError(f"must be a number with a unit such as '{example}', not {text!r}")
    match = _QUANTITY.match(str(text))
    if match is None:
        raise DiffPairError(f"must be a number with a unit such as '{example}', not {text!r}")
    number, unit = float(match[1]), match[2]
    if not unit:
        raise DiffPairError(f"needs a unit, for example '{example}', not just {text!r}")
    value = convert(number, f"1{unit}" if unit.startswith("/") else unit, to)
    if not math.isfinite(value):
        raise DiffPairError(f"must be a finite number, not {text!r}")
    return value


def value_in(value: object, to: str, example: str, what: str) -> float:
    """A number in the unit ``to``: as it is, or a quantity with a unit, see `parse`.

    Raises DiffPairError that begins with ``what``, such as "state 'liquid': temperature".
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise DiffPairError(f"{what}: must be a finite number, not {value!r}")
        return float(value)
    try:
        return parse(value, to, example)
    except DiffPairError as error:
        raise DiffPairError(f"{what}: {error}") from None


def parse_density(value: object) -> tuple[str, float]:
    """("number", nm^-3) or ("mass", g/cm^3): a mass density becomes a number density once the masses are known."""
    for kind, unit in (("number", "nm^-3"), ("mass", "g/cm^3")):
        try:
            number = parse(value, unit, "0.845 nm^-3")
        except DiffPairError as error:
            if kind == "mass" or "is not a unit of" not in str(error):
                text = str(error).replace("mass density such as g/cm^3", "density such as nm^-3 or g/cm^3")
                raise DiffPairError(text) from None
        else:
            if number <= 0:
                raise DiffPairError(f"must be positive, not {value}")
            return kind, number
    raise AssertionError  # the loop returns or raises


def _of_openmm(quantity: Any, to: str) -> float:
    """OpenMM's own unit system is that of ``to``, but for pressures and mass densities."""
    from openmm import unit

    units = {
        "nm": unit.nanometer, "nm^-3": unit.nanometer**-3, "nm^-1": unit.nanometer**-1, "K": unit.kelvin,
        "ps": unit.picosecond, "ps^-1": unit.picosecond**-1, "amu": unit.dalton, "kJ/mol": unit.kilojoule_per_mole,
        "g/cm^3": unit.gram / unit.centimeter**3, "bar": unit.bar, "rad": unit.radian,
        "kJ/mol/nm^2": unit.kilojoule_per_mole / unit.nanometer**2,
        "kJ/mol/rad^2": unit.kilojoule_per_mole / unit.radian**2,
    }  # fmt: skip
    if not unit.is_quantity(quantity):
        raise DiffPairError(f"must be a quantity, not the unit {quantity}")
    try:
        value = float(quantity.value_in_unit(units[to]))
    except TypeError:
        raise DiffPairError(f"{str(quantity.unit)!r} is not a unit of {_dimension(to)} such as {to}") from None
    if not math.isfinite(value):
        raise DiffPairError(f"must be a finite number, not {quantity}")
    return value


def _scales(quantity: Any) -> bool:
    """Whether a number may multiply the quantity: not so for temperatures with an offset such as degC."""
    return bool(quantity._is_multiplicative)


_DIMENSIONS = {
    "nm": "length",
    "nm^-3": "number density",
    "K": "temperature",
    "ps": "time",
    "ps^-1": "frequency",
    "amu": "mass",
    "kJ/mol": "energy",
    "nm^-1": "inverse length",
    "g/cm^3": "mass density",
    "bar": "pressure",
    "rad": "angle",
    "kJ/mol/nm^2": "force constant",
    "kJ/mol/rad^2": "force constant",
}


def _dimension(unit: str) -> str:
    return _DIMENSIONS.get(unit, unit)
