"""Pairs of types and their order: (0,0), (0,1) .. (0,T-1), (1,1) .. , the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence


def type_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of these types in the order of a table's rows."""
    return [(a, b) for i, a in enumerate(names) for b in names[i:]]


def pair_row(a: int, b: int, num_types: int) -> int:
    """The row of the pair of types with the indices a and b, in either order."""
    low, high = sorted((a, b))
    return low * num_types - low * (low - 1) // 2 + high - low
