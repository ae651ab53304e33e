"""What a table may be: the numbers of `TableLimits` in cpp/include/diffpair/Table.h, which says why."""

from __future__ import annotations

import math

from diffpair.errors import DiffPairError

MIN_KNOTS = 5
MIN_CUTOFF = 1e-9  # nm
MAX_CUTOFF = 1e9  # nm
MIN_SPACING = 1e-6  # of the cutoff
MAX_TYPES = 4096
MAX_NUMBERS = 1 << 28  # 4 (knots + 1) for each pair of types


def check_grid(r_min: float, cutoff: float, knots: int) -> None:
    """Raise DiffPairError unless `knots` uniform knots from r_min to cutoff, nm, are a table's."""
    if not (math.isfinite(r_min) and math.isfinite(cutoff) and 0 <= r_min < cutoff):
        raise DiffPairError(f"r_min = {r_min} nm and cutoff = {cutoff} nm must obey 0 <= r_min < cutoff")
    if not MIN_CUTOFF <= cutoff <= MAX_CUTOFF:
        raise DiffPairError(f"cutoff = {cutoff} nm must lie between {MIN_CUTOFF:g} and {MAX_CUTOFF:g} nm")
    if knots < MIN_KNOTS:
        raise DiffPairError(f"knots = {knots} is too few: a table needs at least {MIN_KNOTS}")
    if not (cutoff - r_min) / (knots - 1) >= MIN_SPACING * cutoff:
        raise DiffPairError(
            f"knots = {knots} from {r_min} to {cutoff} nm are too close: they must be a millionth of the cutoff apart"
        )


def check_size(num_types: int, knots: int) -> None:
    """Raise DiffPairError if a table of so many types and knots is too large."""
    if num_types > MAX_TYPES:
        raise DiffPairError(f"a table has {MAX_TYPES} types at most, not {num_types}")
    npairs = num_types * (num_types + 1) // 2
    if 4 * npairs * (knots + 1) > MAX_NUMBERS:
        raise DiffPairError(
            f"a table of {num_types} types with {knots} knots is too large: pairs of types times knots must not exceed "
            f"{MAX_NUMBERS // 4}"
        )
