"""Standard errors of correlated series, against processes whose error is known on paper."""

import numpy as np
import pytest
from scipy.signal import lfilter

from diffpair.engines.series_error import series_error


def relaxation(tau, frames, runs, rng):
    """Gaussian series [runs, frames] of variance 1 with C(t) = exp(-t / tau)."""
    decay = np.exp(-1 / tau)
    noise = rng.normal(size=(runs, frames)) * np.sqrt(1 - decay**2)
    noise[:, 0] = rng.normal(size=runs)
    return lfilter([1], [1, -decay], noise, axis=1)


def variance(tau, frames):
    """Of the mean of such a series."""
    t = np.arange(1, frames)
    return (1 + 2 * np.sum((1 - t / frames) * np.exp(-t / tau))) / frames


@pytest.mark.parametrize("frames", [200, 1500])
@pytest.mark.parametrize("part", [0.01, 0.03, 0.1, 0.3])
def test_a_relaxation_of_so_much_of_the_run(part, frames):
    """The error is right at the median, or the run says that it is too short."""
    series = relaxation(part * frames, frames, 400, np.random.default_rng(0))
    found = [series_error(one) for one in series]
    ratio = np.median([one.error for one in found]) / np.sqrt(variance(part * frames, frames))
    known = np.mean([one.known for one in found])
    if part <= 0.1:
        assert 0.8 < ratio < 1.25
    if part <= 0.01:
        assert known > 0.9
        effective = np.median([one.independent for one in found])
        assert effective == pytest.approx(1 / variance(part * frames, frames), rel=0.3)
    if part == 0.03:
        ratios = np.array([one.error for one in found if one.known]) / np.sqrt(variance(part * frames, frames))
        assert known > 0.5 and 0.8 < np.median(ratios) < 1.25
    if part >= 0.1:
        assert known < 0.2


def test_white_noise_is_as_good_as_its_frames():
    found = [series_error(x) for x in np.random.default_rng(1).normal(size=(300, 300))]
    assert np.median([one.error for one in found]) == pytest.approx(1 / np.sqrt(300), rel=0.08)
    assert np.mean([one.known for one in found]) > 0.97
    assert np.median([one.independent for one in found]) == pytest.approx(300, rel=0.2)


@pytest.mark.parametrize(("size", "part"), [(0, 0.1), (0.3, 0.01), (0.3, 0.03), (0.3, 0.1)])
def test_bins_that_move_together(size, part):
    """60 bins of white noise, a third of which share a slow mode that no single bin shows: its error is found in the
    bins that move with it, and not in the others."""
    rng, frames, runs = np.random.default_rng(2), 400, 100
    mode = np.sqrt(size) * np.exp(-(((np.arange(60) - 15) / 8) ** 2))
    slow = relaxation(part * frames, frames, runs, rng)
    found = [series_error(rng.normal(size=(frames, 60)) + mode * one[:, None]) for one in slow]
    true = np.sqrt(1 / frames + mode**2 * variance(part * frames, frames))
    errors = np.array([one.error for one in found])
    assert np.median(errors.mean(1)) == pytest.approx(true.mean(), rel=0.1)
    assert np.median(errors[:, 12:18]) == pytest.approx(true[12:18].mean(), rel=0.15)
    assert np.median(errors[:, 40:]) == pytest.approx(true[40:].mean(), rel=0.12)
    if size == 0:
        assert np.mean([one.known for one in found]) == 1
        assert (errors.std(1) / errors.mean(1)).max() < 0.15  # bins share what is known of their spectrum


def test_units_constants_and_shapes():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(100, 3, 4))
    x[:, 1, 2] = 7.0
    found = series_error(x)
    assert found.error.shape == (3, 4) and found.error[1, 2] == 0 and (found.error[0] > 0).all()
    scaled = series_error(1e-3 * x + 5)
    assert scaled.error == pytest.approx(1e-3 * found.error, rel=1e-6, abs=1e-12)
    assert scaled.independent == pytest.approx(found.independent) and scaled.doubt == pytest.approx(found.doubt)
    still = series_error(np.full((20, 2), 3.0))
    assert (still.error == 0).all() and still.known and still.independent == 20
    few = series_error(x[:9])
    assert np.isnan(few.error).all() and not few.known
