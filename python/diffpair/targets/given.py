"""Targets as users give them: ready, or settings that tell where they are read from; and each measured thing once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from diffpair.errors import DiffPairError
from diffpair.targets.density_target import DensityTarget
from diffpair.targets.distribution import Distribution
from diffpair.targets.pressure_target import PressureTarget
from diffpair.targets.rdf_target import RdfTarget
from diffpair.targets.vacf_target import VacfTarget

Target = RdfTarget | PressureTarget | DensityTarget | VacfTarget | Distribution


class Readable(Protocol):
    """What names a target and reads it, such as `diffpair.Rdf`."""

    def read(self) -> Target:
        """The target.

        Raises:
            DiffPairError: the file cannot be used.
        """
        ...


def read_targets(given: Sequence[Target | Readable]) -> list[Target]:
    """All of them, read.

    Args:
        given: targets, and settings that tell where one is read from.

    Returns:
        The targets, in that order.

    Raises:
        DiffPairError: a file cannot be used.

    Warns:
        UserWarning: what had to be decided to read a file, in one line.
    """
    return [target if isinstance(target, Target) else target.read() for target in given]


def check_once_each(pairs: Sequence[Sequence[str]], others: Mapping[str, int]) -> None:
    """Refuse what is measured twice in a state, since it would count double (DiffPairError).

    Args:
        pairs: of the types of all rdfs. others: how many targets there are of any other kind.
    """
    for kind, number in others.items():
        if number > 1:
            raise DiffPairError(f"a state has one {kind}, but targets names several")
    unordered = [tuple(sorted(pair)) for pair in pairs]
    for pair in unordered:
        if unordered.count(pair) > 1:
            raise DiffPairError(
                f"the pair {'-'.join(pair)} has {unordered.count(pair)} rdfs among the targets, which would count "
                f"double; give one"
            )
