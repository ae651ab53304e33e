"""Targets that are distributions of bond lengths, angles and dihedral angles: which file holds them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from diffpair.settings.base import File, Name, Settings
from diffpair.settings.bonded import chain_of, split_types
from diffpair.targets import Distribution


class _DistributionFile(Settings):
    """A file as `diffpair map` writes it, see docs/guide/bonded.md."""

    types: list[str]
    file: File

    positional: ClassVar[tuple[str, ...]] = ("types", "file")

    def read(self) -> Distribution:
        """Read the file, see `diffpair.targets.Distribution.read`.

        Raises:
            DiffPairError: the file cannot be used.
        """
        return Distribution.read(self.file, self.types)


class Bond(_DistributionFile):
    """A target distribution of bond lengths.

    Args:
        types: the two types, in either order; "A-B" is short for a list.
        file: CSV as `diffpair map` writes it: r in nm, p in 1/nm and perhaps its standard error.

    Raises:
        DiffPairError: not two types.
    """

    types: Annotated[list[Name], BeforeValidator(split_types), chain_of(2)]


class Angle(_DistributionFile):
    """A target distribution of angles.

    Args:
        types: the three types along the chain, in either direction; "A-B-A" is short for a list.
        file: CSV as `diffpair map` writes it: theta in degrees, p in 1/degree and perhaps its standard error.

    Raises:
        DiffPairError: not three types.
    """

    types: Annotated[list[Name], BeforeValidator(split_types), chain_of(3)]


class Dihedral(_DistributionFile):
    """A target distribution of dihedral angles.

    Args:
        types: the four types along the chain, in either direction; "A-B-B-A" is short for a list.
        file: CSV as `diffpair map` writes it: phi in degrees from -180 to 180, p in 1/degree and perhaps its standard
            error.

    Raises:
        DiffPairError: not four types.
    """

    types: Annotated[list[Name], BeforeValidator(split_types), chain_of(4)]
