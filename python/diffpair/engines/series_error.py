"""The standard error of averages over correlated frames, and whether a run is long enough to tell it.

The variance of a mean over F frames is S(0) / F, S the power spectrum of the series at frequency 0. A periodogram knows
all frequencies but that one, where subtracting the mean has left nothing; so S is extrapolated from the lowest
(P. Heidelberger, P. D. Welch, Commun. ACM 24, 233 (1981)). The model is white noise and one relaxation,

    S(f) = w (1 + R e_tau(f) / e_tau(0)),   e_tau the spectrum of exp(-t / tau) as F frames show it,

fitted by Whittle's likelihood with the expected periodogram of a finite run (A. M. Sykulski et al., Biometrika 106, 251
(2019)): so it has no bias from the subtracted mean. R and tau are averaged over: how far they leave S(0) open is
the doubt of the error.

Bins of a g(r) move together where the fluid is slow. Their strongest common modes have spectra of their own, which
stand far above the noise of single bins; what is left of all bins has one together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SHORTEST = 10  # frames; of fewer nothing is said
LOWEST = 40  # frequencies that are fitted: that many know a flat spectrum's height to 1 / sqrt(40)
MODES = 3  # common to all bins, that are told apart
NEAR = 3  # frequencies to each side that tell how many independent numbers one holds
FEWEST = 8  # independent frames: fewer do not even tell how few they are
VAGUE = 0.4  # standard deviation of ln(error) from which a run is too short: a factor of 1.5


@dataclass(frozen=True)
class SeriesError:
    """What a series [F, ...] tells about the error of its mean.

    error: standard error of the mean, [...]; NaN with fewer than ten frames. independent: frames without correlation
    that would give the same errors, on average over [...]; F or a few more for frames without any. doubt: standard
    deviation of ln(error) of all of [...] together.
    """

    error: Array
    independent: float
    doubt: float

    @property
    def known(self) -> bool:
        """Whether the run was long enough to tell its error."""
        return self.doubt < VAGUE and self.independent >= FEWEST


def series_error(samples: Array) -> SeriesError:
    """Standard errors of the mean over samples [F, ...], one frame after the other; all of [...] belong to one run."""
    frames, shape = len(samples), samples.shape[1:]
    if frames < SHORTEST:
        return SeriesError(np.full(shape, np.nan), float("nan"), float("inf"))
    x = np.asarray(samples, dtype=np.float64).reshape(frames, -1)
    x = x - x.mean(0)
    spread = x.std(0)
    moving = spread > 1e-12 * np.abs(x).max(initial=1e-300)
    error = np.zeros(x.shape[1])
    if not moving.any():
        return SeriesError(error.reshape(shape), float(frames), 0.0)
    variances, doubt = _variances(x[:, moving] / spread[moving])
    error[moving] = spread[moving] * np.sqrt(variances)
    independent = float(spread.sum() / error.sum()) ** 2
    return SeriesError(error.reshape(shape), independent, doubt)


def _variances(x: Array) -> tuple[Array, float]:
    """Of the mean of each column of x [F, K], which have variance 1; and the doubt of their common size."""
    frames = len(x)
    lowest = min(LOWEST, (frames - 1) // 2)
    waves = np.fft.rfft(x, axis=0)[1 : lowest + 1] / np.sqrt(frames)
    rows = np.concatenate([waves.real, waves.imag])
    left, strength, modes = np.linalg.svd(rows, full_matrices=False)
    amplitudes = left[:, :MODES] * strength[:MODES]
    rest = rows - amplitudes @ modes[:MODES]
    variances, doubts, total = np.zeros(x.shape[1]), 0.0, 0.0
    for mode, series in zip(modes[:MODES], amplitudes.T, strict=True):
        power = series[:lowest] ** 2 + series[lowest:] ** 2
        value, doubt = _at_zero(frames, power, np.ones(lowest))
        variances += mode**2 * value
        doubts, total = doubts + doubt * value, total + value
    if x.shape[1] > MODES:
        power = rest[:lowest] ** 2 + rest[lowest:] ** 2  # [lowest, K]
        value, doubt = _at_zero(frames, power.sum(1), _independent_numbers(rest[:lowest] + 1j * rest[lowest:]))
        # K bins of 2 * lowest numbers, from which the modes have taken some
        variances += value * power.sum(0) / max(power.sum(), 1e-300)
        doubts, total = doubts + doubt * value, total + value
    # doubts are not squared: what one does not see of slow motion, the others miss too
    return variances / frames, 0.5 * doubts / total


def _independent_numbers(waves: NDArray[np.complex128]) -> Array:
    """How many independent bins each row of waves [lowest, K] is worth, from its overlap with its neighbours."""
    count = len(waves)
    products = np.abs(waves @ waves.conj().T) ** 2
    power = np.maximum(np.sum(np.abs(waves) ** 2, axis=1), 1e-300)
    overlap = products / np.outer(power, power)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    near = (apart > 0) & (apart <= NEAR)
    return np.asarray(near.sum(1) / np.sum(overlap * near, axis=1))


def _at_zero(frames: int, power: Array, numbers: Array) -> tuple[float, float]:
    """S(0) from the periodogram [lowest], each of which averages so many numbers; and the deviation of ln S(0)."""
    shapes, excess, tau, prior = _shapes(frames, len(power))
    size = numbers.sum()
    scale = np.maximum((numbers * power / shapes).sum(1) / size, 1e-300)
    logarithm = prior - size * np.log(scale) - (numbers * np.log(shapes)).sum(1)
    weight = np.exp(logarithm - logarithm.max())
    weight /= weight.sum()
    value = np.log(scale * (1 + excess))
    mean = float(weight @ value)
    # a run knows the variance of a relaxation to 2 tau / F only
    doubtful = (value - mean) ** 2 + (excess / (1 + excess)) ** 2 * 2 * tau / frames
    return float(np.exp(mean)), float(np.sqrt(weight @ doubtful + 1 / size))


@lru_cache(maxsize=8)
def _shapes(frames: int, lowest: int) -> tuple[Array, Array, Array, Array]:
    """Spectra over w [models, lowest], their R, tau in frames, and the logarithm of what is thought of each before.

    White noise alone has half the weight. Correlation times from F / 200 to F share the rest, long ones have less as
    1 / sqrt(tau): each would otherwise explain one low frequency that came out high by chance.
    """
    tau = np.geomspace(1 / 200, 1, 16) * frames
    excess = np.geomspace(0.1, 1e5, 25)
    k = np.arange(lowest + 1)
    decay = np.exp(-1 / tau)[:, None]
    z = decay * np.exp(-2j * np.pi * k / frames)
    # 1 + 2 Re sum_t (1 - t / F) z^t, with z^F = exp(-F / tau)
    tail = z / (1 - z) - z * (1 - decay**frames) / (frames * (1 - z) ** 2)
    spectrum = 1 + 2 * tail.real
    relaxation = spectrum[:, 1:] / spectrum[:, :1]
    shapes = 1 + excess[:, None, None] * relaxation
    share = np.tile(tau**-0.5, len(excess))
    prior = np.log(np.append(0.5, 0.5 * share / share.sum()))
    return (
        np.concatenate([np.ones((1, lowest)), shapes.reshape(-1, lowest)]),
        np.append(0.0, np.repeat(excess, len(tau))),
        np.append(0.0, np.tile(tau, len(excess))),
        prior,
    )
