"""Targets that are distributions of bond lengths, angles and dihedral angles: which file holds them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from diffpair.settings.base import File, Name, Settings
from diffpair.settings.bonded import chain_of, split_types
from diffpair.targets import Distribution


class _DistributionFile(Settings):
    """A file as `diffpair map` writes it, see docs/guide/mapping.md. ``types``: along the chain, either way."""

    types: list[str]
    file: File

    positional: ClassVar[tuple[str, ...]] = ("types", "file")

    def read(self) -> Distribution:
        """The target, see `Distribution.read`. Raises DiffPairError."""
        return Distribution.read(self.file, self.types)


class Bond(_DistributionFile):
    """Of the lengths of bonds between particles of two types."""

    types: Annotated[list[Name], BeforeValidator(split_types), chain_of(2)]


class Angle(_DistributionFile):
    """Of the angles between particles of three types."""

    types: Annotated[list[Name], BeforeValidator(split_types), chain_of(3)]


class Dihedral(_DistributionFile):
    """Of the dihedral angles between particles of four types."""

    types: Annotated[list[Name], BeforeValidator(split_types), chain_of(4)]
