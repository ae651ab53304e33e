"""Pairs of types and their order: (0,0), (0,1) .. (0,T-1), (1,1) .. , the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence


def type_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of types in the order of a table's rows.

    Args:
        names: of the T types.

    Returns:
        T (T + 1) / 2 pairs of names.

    Examples:
        >>> from diffpair.tables import type_pairs
        >>> type_pairs(["Na", "Cl"])
        [('Na', 'Na'), ('Na', 'Cl'), ('Cl', 'Cl')]
    """
    return [(a, b) for i, a in enumerate(names) for b in names[i:]]


def pair_row(a: int, b: int, num_types: int) -> int:
    """The row of a table that a pair of types has.

    Args:
        a: index of one type.
        b: index of the other type.
        num_types: number of types, T.

    Returns:
        The row, from 0 on.
    """
    low, high = sorted((a, b))
    return low * num_types - low * (low - 1) // 2 + high - low
