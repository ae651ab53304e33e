"""The map file: which atoms a bead stands for, in YAML or made in Python."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from diffpair.config.messages import sentence
from diffpair.config.source import Source
from diffpair.errors import DiffPairError
from diffpair.settings.base import CountOrZero, Flag, Name, Number, Settings, Temperature, choices, in_unit
from diffpair.settings.messages import Key, dotted
from diffpair.settings.targets import Pressure

_LONGEST_BEAD, _LONGEST_KIND = 4, 3  # characters that a PDB file has for names of atoms and residues


def _mass(value: object, info: ValidationInfo) -> float:
    """amu; 0 is that of a virtual site."""
    mass = in_unit(value, "amu", "15.035 amu", info)
    if mass < 0:
        raise DiffPairError(f"must not be negative, but is {value}")
    return mass


def _type(value: str) -> str:
    """Types are parts of file names, and of pairs such as A-B."""
    if not re.fullmatch(r"[\w+*.]+", value) or value.startswith("."):
        raise DiffPairError(f"{value!r} is no name of a type: use letters, digits, _, +, * and . alone")
    return value


def _fits_pdb(longest: int) -> Any:
    def check(value: str) -> str:
        if not re.fullmatch(rf"[^\s-]{{1,{longest}}}", value):
            raise DiffPairError(
                f"{value!r} must be {longest} characters or fewer, without blanks and -, to fit a PDB file"
            )
        return value

    return AfterValidator(check)


def _pressure(value: object) -> object:
    """A pressure alone is short for {value: ...}."""
    return value if isinstance(value, dict | Pressure) else {"value": value}


Type = Annotated[Name, AfterValidator(_type)]
BeadName = Annotated[Name, _fits_pdb(_LONGEST_BEAD)]
KindName = Annotated[Name, _fits_pdb(_LONGEST_KIND)]
AnyMass = Annotated[float, BeforeValidator(_mass)]


class Bead(Settings):
    """A bead, the same in every molecule of a kind.

    Args:
        type: of the pair potential.
        name: 4 characters or fewer; by default its type.
        atoms: names, or "residue-name" in a molecule of several residues.
        select: a selection in mdtraj's language within the molecule, instead of `atoms`.
        centre: of mass or of geometry.

    Raises:
        DiffPairError: both or none of `atoms` and `select`, or a name that fits no PDB file.
    """

    name: BeadName | None = None
    type: Type
    atoms: Annotated[list[Name], Field(min_length=1)] | None = None
    select: Name | None = None
    centre: Literal["mass", "geometry"] = "mass"

    @model_validator(mode="after")
    def _one_way(self) -> Bead:
        if (self.atoms is None) == (self.select is None):
            raise DiffPairError("must hold either 'atoms' or 'select'")
        if self.name is None and len(self.type) > _LONGEST_BEAD:
            raise DiffPairError(f"needs a 'name' of {_LONGEST_BEAD} characters or fewer, since {self.type!r} is longer")
        return self

    @property
    def called(self) -> str:
        """Its name."""
        return self.type if self.name is None else self.name


class Molecules(Settings):
    """A kind of molecules, and its beads.

    Args:
        beads: of one molecule.
        residue: molecules that hold a residue of that name.
        select: molecules that hold an atom of that selection in mdtraj's language, instead of `residue`.
        name: of the beads' residues, 3 characters or fewer.
        bonds: pairs of names of beads; by default those whose atoms have a bond.
        leave_out: names of atoms that are in no bead.

    Raises:
        DiffPairError: both or none of `residue` and `select`, or beads and bonds that do not go together.
    """

    residue: Name | None = None
    select: Name | None = None
    name: KindName | None = None
    beads: Annotated[list[Bead], Field(min_length=1)]
    bonds: list[Annotated[list[Name], Field(min_length=2, max_length=2)]] | None = None
    leave_out: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _together(self) -> Molecules:
        if (self.residue is None) == (self.select is None):
            raise DiffPairError("must hold either 'residue' or 'select', which say what molecules are meant")
        names = [bead.called for bead in self.beads]
        for name in names:
            if names.count(name) > 1:
                raise DiffPairError(f"two beads are called {name!r}: give every bead of a molecule a 'name' of its own")
        found: set[frozenset[str]] = set()
        for bond in self.bonds or []:
            for name in bond:
                if name not in names:
                    raise DiffPairError(f"bonds: {name!r} is no bead{choices(name, names)}")
            if len(set(bond)) < 2 or frozenset(bond) in found:
                what = "joins a bead with itself" if len(set(bond)) < 2 else "is given twice"
                raise DiffPairError(f"bonds: [{bond[0]}, {bond[1]}] {what}")
            found.add(frozenset(bond))
        return self

    @property
    def shown(self) -> str:
        """How messages call the kind."""
        return self.name or (self.residue if self.residue is not None else repr(self.select))


class MapSettings(Settings):
    """What a trajectory of atoms becomes.

    Args:
        temperature: of the simulation, K, which a trajectory does not hold.
        molecules: kinds; molecules of no kind are left out.
        pressure: of the simulation, bar; if given it is a target.
        masses: of atoms by name or "residue-name", amu, in place of those of their elements.
        charges: of beads by type, in units of the elementary charge.
        exclude_bonds: beads up to so many bonds apart are in no g(r), and will not feel the pair potential; 3 by
            default.
        intramolecular: also write g(r) of all pairs.

    Raises:
        DiffPairError: a value out of range, or keys that do not go together.
    """

    temperature: Temperature
    pressure: Annotated[
        Pressure | None, BeforeValidator(lambda value: value if value is None else _pressure(value))
    ] = None
    molecules: Annotated[list[Molecules], Field(min_length=1)]
    masses: dict[Name, AnyMass] = Field(default_factory=dict)
    charges: dict[Name, Number] = Field(default_factory=dict)
    exclude_bonds: CountOrZero | None = None
    intramolecular: Flag = False

    _source: Source | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names(self) -> MapSettings:
        types: dict[str, str] = {}
        for bead in (bead for kind in self.molecules for bead in kind.beads):
            if types.setdefault(bead.called, bead.type) != bead.type:
                raise DiffPairError(
                    f"molecules: the bead {bead.called!r} is of type {types[bead.called]!r} in one kind and of "
                    f"{bead.type!r} in another: give it another name in one of them"
                )
        for name in self.charges:
            if name not in types.values():
                raise DiffPairError(f"charges: {name!r} is no type of a bead{choices(name, set(types.values()))}")
        return self

    @property
    def bead_types(self) -> dict[str, str]:
        """From the names of beads to their types."""
        return {bead.called: bead.type for kind in self.molecules for bead in kind.beads}

    def at(self, *path: Key) -> str:
        """How a message begins that tells of a key.

        Args:
            path: keys and indices that lead to it.

        Returns:
            File and line, if the settings were read from one, and the key.
        """
        key = dotted(path)
        return key if self._source is None else f"{self._source.path}, line {self._source.line(path)}: {key}"


def load_map(path: str | os.PathLike[str]) -> MapSettings:
    """Read and check a map file.

    Args:
        path: YAML, see docs/guide/mapping.md.

    Returns:
        The settings.

    Raises:
        DiffPairError: one sentence with file, line, key and reason.
    """
    source = Source(Path(path), "map", ("temperature", "molecules"))
    try:
        settings = MapSettings.model_validate(source.data, context={"folder": source.path.parent})
    except ValidationError as error:
        raise DiffPairError(sentence(error, source)) from None
    settings._source = source
    return settings
