"""Pressures and densities as targets: is each by itself where it should be?

chi is the mean over all rows. One row among a hundred bins of g hardly moves it, and may be several errors off.
"""

from __future__ import annotations

import numpy as np

from diffpair.gradients import TargetRows
from diffpair.updates import Memory


def numbers_off(memory: Memory, rows: TargetRows) -> float:
    """How far a state's pressure or density is off its target, or how far it may be for all that the samplings tell, in
    units of its own error; 0 without such a target.

    It is the pooled one at the table that was sampled last. Its own error is that of the target; that of the samplings
    averages out over the iterations, and excuses no more than the former does. It counts twice: a potential that was
    sampled so vaguely may be two errors off.
    """
    numbers = _rows_of_numbers(rows)
    if not len(numbers) or not memory.has_jacobian:
        return 0.0
    table = memory.observations[-1].coefficients
    residual, _, _ = memory.pooled(table)
    own = np.hypot(rows.error, rows.floor)[numbers]
    sampling = np.sqrt(np.diag(memory.noise(table)[0])[numbers])
    off = np.abs(residual[numbers]) / np.hypot(own, np.minimum(sampling, own))
    return float(np.max(np.maximum(off, 2 * sampling / own)))


def _rows_of_numbers(rows: TargetRows) -> list[int]:
    """Indices of the rows that are pressures and densities."""
    found: list[int] = []
    first = 0
    for part in rows.parts:
        if part is rows.pressure or part is rows.density:
            found += range(first, first + len(part))
        first += len(part)
    return found
