"""The key ``pairs`` of the section ``potential``: the pairs of types that are learned, all others being 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator

from diffpair.errors import DiffPairError
from diffpair.settings.base import _name, choices
from diffpair.tables.pairs import pair_row

Pairs = tuple[tuple[str, str], ...]


def _pairs(value: object) -> Pairs:
    if not isinstance(value, list | tuple) or not value:
        raise DiffPairError(f"must list pairs of types such as [[A, B]], not {value!r}; without it all are learned")
    found: list[tuple[str, str]] = []
    for entry in value:
        if not isinstance(entry, list | tuple) or len(entry) != 2:
            raise DiffPairError(f"must list pairs of types such as [[A, B]], but {entry!r} is none")
        pair = _name(entry[0]), _name(entry[1])
        if set(pair) in [set(other) for other in found]:
            raise DiffPairError(f"names the pair {'-'.join(pair)} twice")
        found.append(pair)
    return tuple(found)


LearnedPairs = Annotated[Pairs, BeforeValidator(_pairs)]


def rows_of(pairs: Pairs, types: Sequence[str]) -> tuple[int, ...]:
    """Rows of these pairs in a table of the types, rising. Raises DiffPairError for an unknown type."""
    for name in (name for pair in pairs for name in pair):
        if name not in types:
            raise DiffPairError(f"potential: pairs names the type {name!r}, which no state has{choices(name, types)}")
    return tuple(sorted(pair_row(types.index(a), types.index(b), len(types)) for a, b in pairs))
