"""What is known of a state's Jacobian without its noise, see `updates.Memory`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.fit.tasks.sample import Sample
from diffpair.gradients import FrameSums, TargetRows

Array = NDArray[np.float64]


class Theory:
    """Of pairs what liquid state theory tells, of bonded terms what molecules tell one by one, of a pressure the part
    that does not come from fluctuations.

    Args:
        rows: of the state. pairs: number of columns that belong to pairs; those of bonded terms follow.

    Attributes:
        chain: d<g>/dc of pairs, see `fit.start.chain_jacobian`; None where that is not known.
    """

    def __init__(self, rows: TargetRows, pairs: int) -> None:
        self.chain: Array | None = None
        self._rows, self._pairs = rows, pairs

    def of(self, sample: Sample, sums: FrameSums) -> tuple[Array | None, NDArray[np.bool_] | None]:
        """d<A>/dc [rows, columns] of a sampling, and the columns that nothing is known of; None where that is so of
        all, or where the volume moves.

        sums: of the sampling, as far as they count.
        """
        rows, columns = sums.observables.shape[1], sums.splines.shape[1]
        untold = np.ones(columns, dtype=bool)
        untold[: self._pairs], untold[self._pairs :] = self.chain is None, not sample.measured
        if untold.all() or self._rows.state.barostat is not None:
            return None, None
        theory = np.zeros((rows, columns))
        if self.chain is not None:
            theory[: len(self.chain), : self._pairs] = self.chain
            for row, slopes in sums.explicit.items():
                theory[row] = slopes.mean(0)
        if sample.measured:
            first = len(self._rows.rdf) + len(self._rows.pressure)
            response = -self._rows.state.beta / sample.measured * sample.response
            theory[first : first + len(response), self._pairs :] = response
        return theory, untold
