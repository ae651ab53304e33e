"""Tikhonov's term of a linear problem whose matrix is noisy too, chosen by the evidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.updates.marginal import Marginal

Array = NDArray[np.float64]
AMPLITUDES = 10.0 ** np.arange(-8.0, 2.1, 0.25)  # tried for a, in kT^2: changes of 10^-4 to 10 kT


def evidence_term(matrix: Array, data: Array, doubt: Array, unit: float) -> Array:
    """P, [k, k], such that x with (M^T M + P) x = M^T y is the step that the data support.

    y = (M + N) x + noise, in units of that noise. N is the noise of M, of which D^T D = <N^T N> is known, and x has
    the standard deviation sqrt(a). Averaged over N, the squared misfit of a step x is

        |M x - y|^2 + |D x|^2,

    so a step pays for going where M is not known (stochastic robust least squares: S. Boyd, L. Vandenberghe, Convex
    Optimization, 2004, section 6.4.1). The price of its length is 1 / a:

        P = D^T D + 1 / a.

    a is the most probable one: y is N(0, a M M^T + 1 + a d), d = tr(D^T D) / n, where the noise of M counts like that
    of n alike rows (D. J. C. MacKay, Neural Comput. 4, 415 (1992)). A residual far above its noise makes a large and
    the step full; one that is noise makes it small.

    Args:
        matrix: M, [n, k]. data: y, [n]. doubt: D, [m, k]. unit: of a; that of x squared.
    """
    n, k = matrix.shape
    amplitudes = unit * AMPLITUDES
    more = 1 + amplitudes * np.sum(doubt**2) / max(n, 1)  # variance of a row without its signal
    marginal = Marginal(matrix, data, amplitudes / more)  # in units of sqrt(more), so:
    log = marginal.log + 0.5 * (1 - 1 / more) * marginal.product(data, data) - 0.5 * n * np.log(more)
    return np.asarray(doubt.T @ doubt + np.eye(k) / amplitudes[int(np.argmax(log))])
