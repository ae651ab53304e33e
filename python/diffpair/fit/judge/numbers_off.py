"""Pressures and densities as targets: is each by itself where it should be?

chi is the mean over all rows. One row among a hundred bins of g hardly moves it, and may be several errors off.
"""

from __future__ import annotations

import numpy as np

from diffpair.gradients import TargetRows
from diffpair.updates import Memory


def numbers_off(memory: Memory, rows: TargetRows) -> float:
    """How far a state's pressure or density is off its target, in units of what may be; 0 without such a target.

    It is the pooled one at the table that was sampled last. What may be is the error of the target and that of the
    samplings, but no more of the latter than of the former: it averages out over the iterations.
    """
    numbers = slice(len(rows.rdf), len(rows))
    if len(rows) == len(rows.rdf) or not memory.has_jacobian:
        return 0.0
    table = memory.observations[-1].coefficients
    residual, _, _ = memory.pooled(table)
    own = (rows.error**2 + rows.floor**2)[numbers]
    sampling = np.diag(memory.noise(table)[0])[numbers]
    return float(np.max(np.abs(residual[numbers]) / np.sqrt(own + np.minimum(sampling, own))))
