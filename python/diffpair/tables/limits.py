"""What a table may be: the numbers of cpp/include/diffpair/Limits.h, which says why, and the checks of Table.h."""

from __future__ import annotations

import math

from diffpair.errors import DiffPairError

MIN_KNOTS = 5
SMALLEST_CUTOFF, LARGEST_CUTOFF = 1e-6, 1e6  # nm
MAX_KNOTS = 1_000_000  # and so many intervals of one length are at least as long as the cutoff
MAX_TYPES = 4096
MAX_NUMBERS = 2**31 - 1  # of the loops' polynomials: 4 (knots + 1) for each pair of types


def check_grid(r_min: float, cutoff: float, knots: int) -> None:
    """Raise DiffPairError unless `knots` uniform knots from r_min to cutoff, nm, are a table's."""
    if not (math.isfinite(r_min) and math.isfinite(cutoff) and 0 <= r_min < cutoff):
        raise DiffPairError(f"r_min = {r_min} nm and cutoff = {cutoff} nm must obey 0 <= r_min < cutoff")
    if not SMALLEST_CUTOFF <= cutoff <= LARGEST_CUTOFF:
        raise DiffPairError(f"cutoff = {cutoff} nm must be from {SMALLEST_CUTOFF:g} to {LARGEST_CUTOFF:g} nm")
    if knots < MIN_KNOTS:
        raise DiffPairError(f"knots = {knots} is too few: a table needs at least {MIN_KNOTS}")
    if knots > MAX_KNOTS:
        raise DiffPairError(f"knots = {knots} is too many: a table can have at most {MAX_KNOTS}")
    if not (cutoff - r_min) / (knots - 1) * MAX_KNOTS >= cutoff:
        raise DiffPairError(
            f"knots = {knots} from {r_min} to {cutoff} nm are too close: they must be a millionth of the cutoff apart"
        )


def check_size(num_types: int, knots: int) -> None:
    """Raise DiffPairError if a table of so many types and knots is too large."""
    if num_types > MAX_TYPES:
        raise DiffPairError(f"a table has {MAX_TYPES} types at most, not {num_types}")
    if 2 * num_types * (num_types + 1) * (knots + 1) > MAX_NUMBERS:
        raise DiffPairError(
            f"a table of {num_types} types with {knots} knots is too large: 2 types (types + 1) (knots + 1) must be "
            "below 2^31"
        )
