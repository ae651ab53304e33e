"""The evidence of data in a linear Gaussian model, for several amplitudes of the prior at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Marginal:
    """N(y; 0, S_a) with S_a = a M M^T + 1, by Woodbury's and Sylvester's identities in the basis of M^T M.

    Args:
        matrix: M, [n, k]. data: y, [n]. amplitudes: a, [m]. log_determinant: of the square root of the covariance in
            whose units M and y are.

    Attributes:
        log: logarithm of the density of y, up to a constant, [m].
    """

    def __init__(self, matrix: Array, data: Array, amplitudes: Array, log_determinant: float = 0.0) -> None:
        self.matrix, self.data, self.amplitudes = matrix, data, amplitudes
        values, self._vectors = np.linalg.eigh(matrix.T @ matrix)
        self._spread = amplitudes[:, None] * np.maximum(values, 0.0) + 1
        self._explained = amplitudes[:, None] / self._spread
        self.log: Array = -0.5 * (self.product(data, data) + np.log(self._spread).sum(1)) - log_determinant

    def product(self, left: Array, right: Array) -> Array:
        """left^T S_a^-1 right for every a, [m]; left and right [n]."""
        projected = (self._vectors.T @ (self.matrix.T @ left)) * (self._vectors.T @ (self.matrix.T @ right))
        return np.asarray(left @ right - self._explained @ projected)
