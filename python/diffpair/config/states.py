"""The ``states`` section: systems, temperatures and what was measured."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from diffpair.config.base import (
    AnyPressure,
    Count,
    CountOrZero,
    Distance,
    File,
    Flag,
    FractionOrZero,
    Length,
    Name,
    Number,
    PositiveNumber,
    PressureError,
    Section,
    Temperature,
    _name,
)
from diffpair.config.curve_file import CurveFile, RdfColumns, VacfColumns
from diffpair.errors import DiffPairError
from diffpair.targets.unit_check import length_in_nm
from diffpair.targets.units import convert, parse

_DENSITY = "0.845 nm^-3"


def _density(value: object) -> tuple[str, float]:
    """("number", nm^-3) or ("mass", g/cm^3): a mass density becomes a number density once the masses are known."""
    for kind, unit in (("number", "nm^-3"), ("mass", "g/cm^3")):
        try:
            number = parse(value, unit, _DENSITY)
        except DiffPairError as error:
            if kind == "mass" or "is not a unit of" not in str(error):
                text = str(error).replace("mass density such as g/cm^3", "density such as nm^-3 or g/cm^3")
                raise DiffPairError(text) from None
        else:
            if number <= 0:
                raise DiffPairError(f"must be positive, not {value}")
            return kind, number
    raise AssertionError  # the loop returns or raises


def _length_unit(value: object) -> str:
    if not isinstance(value, str):
        raise DiffPairError(f"must be a unit of length such as nm or angstrom, not {value!r}")
    length_in_nm(value)
    return value


def _time_unit(value: object) -> str:
    if not isinstance(value, str):
        raise DiffPairError(f"must be a unit of time such as ps or fs, not {value!r}")
    convert(1.0, value, "ps")
    return value


def _type(value: object) -> str | None:
    """A type of the potential, or None for atoms that take no part in it: `none`, written out."""
    if value is None:
        raise DiffPairError("must be a type, or none for atoms that take no part in the potential, but is empty")
    if isinstance(value, str) and value.strip().lower() == "none":
        return None
    return _name(value)


def _masses(value: object) -> float | dict[str, float]:
    """One mass in amu for all types or a mapping of one per type."""

    def one(entry: object, label: str = "") -> float:
        try:
            mass = parse(entry, "amu", "18.015 amu")
        except DiffPairError as error:
            raise DiffPairError(f"{label}{error}") from None
        if mass <= 0:
            raise DiffPairError(f"{label}must be positive, not {entry}")
        return mass

    if isinstance(value, dict):
        return {str(name): one(entry, f"{name}: ") for name, entry in value.items()}
    return one(value)


TypeOrNone = Annotated[str | None, BeforeValidator(_type)]


class Lattice(Section):
    """Particles on a lattice in a cube. ``types``: mole fractions. ``mass``: one for all or one per type, amu."""

    n: Count
    density: Annotated[tuple[str, float], BeforeValidator(_density)]
    types: Annotated[dict[Name, PositiveNumber], Field(min_length=1)]
    mass: Annotated[float | dict[str, float], BeforeValidator(_masses)]

    @model_validator(mode="after")
    def _complete(self) -> Lattice:
        total = sum(self.types.values())
        if abs(total - 1) > 1e-6:
            shown = ", ".join(f"{name}: {value:g}" for name, value in self.types.items())
            raise DiffPairError(f"the mole fractions of types must add up to 1, but {shown} add up to {total:g}")
        if isinstance(self.mass, dict) and set(self.mass) != set(self.types):
            raise DiffPairError(f"mass is given for {', '.join(self.mass)}, but the types are {', '.join(self.types)}")
        return self

    @property
    def number_density(self) -> float:
        """Particles per nm^3."""
        kind, value = self.density
        if kind == "number":
            return value
        mean = sum(
            x * (self.mass[name] if isinstance(self.mass, dict) else self.mass) for name, x in self.types.items()
        )
        return value * convert(1.0, "g/cm^3", "amu/nm^3") / mean


class System(Section):
    """Either ``lattice`` or files: ``topology`` (.pdb, .cif, .gro) and perhaps ``xml``, a serialized OpenMM System.

    ``types`` maps what stands in the topology ("residue-atom", atom name, element or residue name, looked up in that
    order) to types of the potential; without it the atom names are the types. ``masses``: one for all or one per type,
    amu, where there is no System that has them. ``exclude_bonds``: particles up to so many bonds apart do not feel the
    potential; without it the System's own exclusions count, or 3 bonds. The type None, ``none``
    in the file, is that of atoms that take no part in the potential.
    """

    lattice: Lattice | None = None
    topology: File | None = None
    xml: File | None = None
    types: Annotated[dict[Name, TypeOrNone], Field(min_length=1)] | None = None
    masses: Annotated[float | dict[str, float], BeforeValidator(_masses)] | None = None
    exclude_bonds: CountOrZero | None = None

    @model_validator(mode="after")
    def _one_way(self) -> System:
        if (self.lattice is None) == (self.topology is None):
            raise DiffPairError("must hold either 'lattice' or 'topology' (with 'xml' for further forces)")
        if self.lattice is not None:
            for name in ("xml", "types", "masses", "exclude_bonds"):
                if getattr(self, name) is not None:
                    raise DiffPairError(f"{name!r} goes with 'topology', not with 'lattice'")
        if self.masses is not None and self.xml is not None:
            raise DiffPairError("'masses' goes with 'topology' alone: those of the System in 'xml' count")
        return self

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Masses that are not given are no part of a config: neither of its hash nor of provenance."""
        return {key: value for key, value in serialize(self).items() if key != "masses" or value is not None}


class Rdf(CurveFile):
    """A target g(r): columns r, g and perhaps its standard error. ``range``: bins outside it are not used.
    ``scale_error``: relative standard error of a factor that is common to all of g."""

    columns: RdfColumns | None = None
    pair: Annotated[list[Name], Field(min_length=2, max_length=2)]
    r_unit: Annotated[str, BeforeValidator(_length_unit)] = "nm"
    range: Annotated[list[Distance], Field(min_length=2, max_length=2)] | None = None
    bin_width: Length | None = None
    scale_error: FractionOrZero = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Rdf:
        if self.range is not None and self.range[0] >= self.range[1]:
            raise DiffPairError(f"range must be [low, high], not [{self.range[0]:g} nm, {self.range[1]:g} nm]")
        return self

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A scale_error of 0 is no part of a config, as CurveFile has it of its own keys."""
        return {key: value for key, value in self.given(serialize).items() if key != "scale_error" or value}


class Pressure(Section):
    """A target pressure, bar, and perhaps its standard error."""

    value: AnyPressure
    error: PressureError | None = None


class Vacf(CurveFile):
    """A target C(t) / C(0) of the velocities: columns t, C(t) / C(0) and perhaps its standard error."""

    columns: VacfColumns | None = None
    t_unit: Annotated[str, BeforeValidator(_time_unit)] = "ps"

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return self.given(serialize)


class Target(Section):
    """One measured property of a state: exactly one of the kinds."""

    rdf: Rdf | None = None
    pressure: Pressure | None = None
    vacf: Vacf | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Target:
        kinds = list(type(self).model_fields)
        given = [kind for kind in kinds if getattr(self, kind) is not None]
        if len(given) != 1:
            raise DiffPairError(
                f"must hold exactly one of {', '.join(kinds)}, not {' and '.join(given) if given else 'none'}"
            )
        return self


class State(Section):
    """One system at one temperature. ``parameters``: values of the potential's global parameters in this state."""

    name: Name
    system: System
    temperature: Temperature
    targets: Annotated[list[Target], Field(min_length=1)]
    held_out: Flag = False
    parameters: dict[Name, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _once_each(self) -> State:
        """What is measured once is one target: given twice it would count double."""
        if sum(target.pressure is not None for target in self.targets) > 1:
            raise DiffPairError("a state has one pressure, but targets names several")
        if sum(target.vacf is not None for target in self.targets) > 1:
            raise DiffPairError("a state has one vacf, but targets names several")
        pairs = [tuple(sorted(target.rdf.pair)) for target in self.targets if target.rdf]
        for pair in pairs:
            if pairs.count(pair) > 1:
                raise DiffPairError(
                    f"the pair {'-'.join(pair)} has {pairs.count(pair)} rdfs among the targets, which "
                    f"would count double; give one"
                )
        return self
