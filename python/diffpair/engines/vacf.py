"""The velocity autocorrelation of a live simulation, without torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.sampler import Progress, Sampler
from diffpair.engines.statistics import BLOCKS, block_means

Array = NDArray[np.float64]
CHUNK = 4  # times the longest lag: frames that are held at once


def lag_products(velocities: Array, lags: int) -> Array:
    """Mean over atoms of v(t) . v(t + lag) per time origin t, [F - lags + 1, lags], of velocities [F, N, 3]."""
    origins = len(velocities) - lags + 1
    flat = velocities.reshape(len(velocities), -1)
    columns = [np.einsum("ti,ti->t", flat[:origins], flat[lag : lag + origins]) for lag in range(lags)]
    return np.stack(columns, axis=1) / velocities.shape[1]


def sample_vacf(
    sampler: Sampler, lags: int, stride: int, steps: int, progress: Progress | None = None
) -> tuple[Array, Array]:
    """C(t) / C(0) and its standard error, [lags] each, lags so many steps (`stride`) apart.

    Runs for at least `steps` steps, and for as long as error bars need. Raises Exploded.
    """
    size = CHUNK * lags
    products = []
    for _ in range(max(-(-steps // (size * stride)), -(-BLOCKS // (size - lags + 1)))):
        products.append(lag_products(sampler.sample(size * stride, stride, progress).velocities, lags))
    every = np.concatenate(products)
    blocks = block_means(every)
    scatter = np.std(blocks / blocks[:, :1], axis=0, ddof=1)
    mean = every.mean(0)
    return mean / mean[0], scatter / np.sqrt(BLOCKS)
