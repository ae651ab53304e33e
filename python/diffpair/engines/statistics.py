"""Error bars of correlated samples, by blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCKS = 10


def block_means(samples: NDArray[np.float64], blocks: int = BLOCKS) -> NDArray[np.float64]:
    """Means of `blocks` consecutive, equal blocks of samples [F, ...]; samples too many for that drop out first."""
    length = len(samples) // blocks
    if length == 0:
        raise ValueError(f"{len(samples)} samples do not fill {blocks} blocks")
    kept = samples[len(samples) - length * blocks :]
    return kept.reshape(blocks, length, *samples.shape[1:]).mean(axis=1)


def block_error(samples: NDArray[np.float64], blocks: int = BLOCKS) -> NDArray[np.float64]:
    """Standard error of the mean over samples [F, ...], from the scatter of block means.

    Right once blocks are longer than the correlation time. NaN with fewer samples than blocks.
    """
    if len(samples) < blocks:
        return np.full(samples.shape[1:], np.nan)
    return np.std(block_means(samples, blocks), axis=0, ddof=1) / np.sqrt(blocks)


def mean_absolute_noise(errors: NDArray[np.float64]) -> float:
    """How much of mean_k |g_k - g'_k| the statistical noise of g alone gives.

    With g' the true average and standard errors s_k of g, each |g_k - g'_k| averages sqrt(2 / pi) s_k (half-normal).
    A mean |g - g'| near this number is a perfect fit; one far above it is certain to less than this number.
    """
    return float(np.sqrt(2 / np.pi) * np.mean(errors))
