"""The ``states`` section: systems, temperatures and what was measured."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import (
    AnyPressure,
    Count,
    CountOrZero,
    File,
    Flag,
    Name,
    Number,
    PositiveNumber,
    Settings,
    Temperature,
    _name,
)
from diffpair.settings.distributions import Angle, Bond, Dihedral
from diffpair.settings.targets import Density, Pressure, Rdf, Vacf
from diffpair.targets.given import check_once_each
from diffpair.targets.units import parse, parse_density


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


class Lattice(Settings):
    """Particles on a lattice in a cube. ``types``: mole fractions. ``mass``: one for all or one per type, amu.
    ``pressure``: held by a barostat, bar; without it the volume is constant."""

    n: Count
    density: Annotated[tuple[str, float], BeforeValidator(parse_density)]
    types: Annotated[dict[Name, PositiveNumber], Field(min_length=1)]
    mass: Annotated[float | dict[str, float], BeforeValidator(_masses)]
    pressure: AnyPressure | None = None

    @model_validator(mode="after")
    def _complete(self) -> Lattice:
        total = sum(self.types.values())
        if abs(total - 1) > 1e-6:
            shown = ", ".join(f"{name}: {value:g}" for name, value in self.types.items())
            raise DiffPairError(f"the mole fractions of types must add up to 1, but {shown} add up to {total:g}")
        if isinstance(self.mass, dict) and set(self.mass) != set(self.types):
            raise DiffPairError(f"mass is given for {', '.join(self.mass)}, but the types are {', '.join(self.types)}")
        return self

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A pressure that is not given is no part of a config: neither of its hash nor of provenance."""
        return {key: value for key, value in serialize(self).items() if key != "pressure" or value is not None}


class SystemSection(Settings):
    """One of ``lattice``, files and ``script``. Files: ``topology`` (.pdb, .cif, .gro) and perhaps ``xml``, a System
    that OpenMM has serialized. ``script``: an input script of LAMMPS, whose ``types`` are numbers or labels of its
    atom types, and ``pressure`` what its barostat holds, if it has one.

    ``types`` maps what stands in the topology ("residue-atom", atom name, element or residue name, looked up in that
    order) to types of the potential; without it the atom names are the types. ``masses``: one for all or one per type,
    amu, where there is no System that has them. ``exclude_bonds``: particles up to so many bonds apart do not feel the
    potential; without it the System's own exclusions count, or 3 bonds. The type None, ``none``
    in the file, is that of atoms that take no part in the potential.
    """

    lattice: Lattice | None = None
    topology: File | None = None
    xml: File | None = None
    script: File | None = None
    pressure: AnyPressure | None = None
    types: Annotated[dict[Name, TypeOrNone], Field(min_length=1)] | None = None
    masses: Annotated[float | dict[str, float], BeforeValidator(_masses)] | None = None
    exclude_bonds: CountOrZero | None = None

    @model_validator(mode="after")
    def _one_way(self) -> SystemSection:
        if sum(one is not None for one in (self.lattice, self.topology, self.script)) != 1:
            raise DiffPairError("must hold either 'lattice', 'topology' (with 'xml' for further forces) or 'script'")
        if self.pressure is not None and self.script is None:
            raise DiffPairError(
                "'pressure' is that of a 'script' whose barostat holds it; a lattice has it in 'lattice'"
            )
        for name in ("xml", "masses"):
            if self.script is not None and getattr(self, name) is not None:
                raise DiffPairError(f"{name!r} goes with 'topology', not with 'script'")
        if self.lattice is not None:
            for name in ("xml", "types", "masses", "exclude_bonds"):
                if getattr(self, name) is not None:
                    raise DiffPairError(f"{name!r} goes with 'topology', not with 'lattice'")
        if self.masses is not None and self.xml is not None:
            raise DiffPairError("'masses' goes with 'topology' alone: those of the System in 'xml' count")
        return self

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Masses, script and pressure that are not given are no part of a config, of its hash nor of provenance."""
        late = ("masses", "script", "pressure")
        return {key: value for key, value in serialize(self).items() if key not in late or value is not None}


class TargetSection(Settings):
    """One measured property of a state: exactly one of the kinds."""

    rdf: Rdf | None = None
    pressure: Pressure | None = None
    density: Density | None = None
    vacf: Vacf | None = None
    bond: Bond | None = None
    angle: Angle | None = None
    dihedral: Dihedral | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> TargetSection:
        kinds = list(type(self).model_fields)
        given = [kind for kind in kinds if getattr(self, kind) is not None]
        if len(given) != 1:
            raise DiffPairError(
                f"must hold exactly one of {', '.join(kinds)}, not {' and '.join(given) if given else 'none'}"
            )
        return self

    @property
    def chosen(self) -> Rdf | Pressure | Density | Vacf | Bond | Angle | Dihedral:
        """The kind that is given."""
        return next(value for _, value in self if value is not None)


class StateSection(Settings):
    """One system at one temperature. ``parameters``: values of the potential's global parameters in this state.
    ``replicas``: boxes in which an iteration samples it, each by itself."""

    name: Name
    system: SystemSection
    temperature: Temperature
    targets: Annotated[list[TargetSection], Field(min_length=1)]
    held_out: Flag = False
    parameters: dict[Name, Number] = Field(default_factory=dict)
    replicas: Count = 1

    @model_validator(mode="after")
    def _once_each(self) -> StateSection:
        rdfs = [target.rdf.pair for target in self.targets if target.rdf]
        others = ("pressure", "density", "vacf")
        check_once_each(rdfs, {k: sum(getattr(t, k) is not None for t in self.targets) for k in others})
        return self
