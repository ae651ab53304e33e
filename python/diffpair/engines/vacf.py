"""The velocity autocorrelation of a live simulation, without torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.engine import Engine, Progress
from diffpair.engines.series_error import series_error
from diffpair.engines.statistics import BLOCKS, block_means

Array = NDArray[np.float64]
CHUNK = 4  # times the longest lag: frames that are held at once


def lag_products(velocities: Array, lags: int) -> Array:
    """Mean over atoms of v(t) . v(t + lag) per time origin t, [F - lags + 1, lags], of velocities [F, N, 3]."""
    origins = len(velocities) - lags + 1
    flat = velocities.reshape(len(velocities), -1)
    columns = [np.einsum("ti,ti->t", flat[:origins], flat[lag : lag + origins]) for lag in range(lags)]
    return np.stack(columns, axis=1) / velocities.shape[1]


@dataclass(frozen=True)
class SampledVacf:
    """C(t) / C(0) and its standard error, [lags] each; correlation: of the errors of different lags, [lags, lags]."""

    value: Array
    error: Array
    correlation: Array


def sample_vacf(engine: Engine, lags: int, stride: int, steps: int, progress: Progress | None = None) -> SampledVacf:
    """The VACF of a simulation, lags so many steps (`stride`) apart.

    Runs for at least `steps` steps, and for as long as error bars need. Raises Exploded.
    """
    size = CHUNK * lags
    products = []
    for _ in range(max(-(-steps // (size * stride)), -(-BLOCKS // (size - lags + 1)))):
        velocities, done = np.empty((size, engine.state.num_atoms, 3)), 0
        for piece in engine.stream(size * stride, stride, progress):
            velocities[done : done + len(piece)] = piece.velocities
            done += len(piece)
        products.append(lag_products(velocities, lags))
    every = np.concatenate(products)
    mean = every.mean(0)
    value = mean / mean[0]
    ratio = (every - value * every[:, :1]) / mean[0]  # what each time origin adds to the ratio, to first order
    return SampledVacf(value, series_error(ratio).error, _correlation(ratio))


def _correlation(series: Array) -> Array:
    """Of the means of series [F, lags]: that of blocks sees slow motion but knows few of them, that of single origins
    is free of noise; half of each."""
    blocks = block_means(series)
    return np.asarray(0.5 * (_normalised(blocks) + _normalised(series)))


def _normalised(samples: Array) -> Array:
    """Correlation matrix; constants are not correlated with anything."""
    x = samples - samples.mean(0)
    spread = np.sqrt(np.mean(x**2, axis=0))
    x = np.divide(x, spread, out=np.zeros_like(x), where=spread > 1e-9 * spread.max(initial=1e-300))
    matrix = x.T @ x / len(x)
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)
