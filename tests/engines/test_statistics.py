"""Block errors against processes whose error is known on paper."""

import numpy as np
import pytest

from diffpair.engines.statistics import block_error, block_means, mean_absolute_noise


def test_block_means_leave_out_the_first_samples():
    assert block_means(np.arange(23.0), 10).tolist() == (np.arange(10) * 2 + 3.5).tolist()
    with pytest.raises(ValueError, match="3 samples do not fill 10 blocks"):
        block_means(np.zeros(3))


def test_white_noise():
    samples = np.random.default_rng(0).normal(size=(2000, 400))
    assert np.sqrt(np.mean(block_error(samples) ** 2)) == pytest.approx(1 / np.sqrt(2000), rel=0.1)


def test_correlated_noise():
    # x' = a x + noise of variance 1 - a^2: variance of a mean of n is about (1 + a) / (1 - a) / n
    a, count = 0.9, 8000
    noise = np.random.default_rng(1).normal(size=(count, 200)) * np.sqrt(1 - a**2)
    for k in range(1, count):
        noise[k] += a * noise[k - 1]
    expected = np.sqrt((1 + a) / (1 - a) / count)
    assert np.sqrt(np.mean(block_error(noise) ** 2)) == pytest.approx(expected, rel=0.12)


def test_too_few_samples_have_no_error():
    assert np.isnan(block_error(np.zeros((5, 3)))).all()


def test_noise_of_a_mean_absolute_difference():
    errors = np.linspace(0.01, 0.1, 50)
    drawn = np.random.default_rng(2).normal(size=(4000, 50)) * errors
    assert mean_absolute_noise(errors) == pytest.approx(np.abs(drawn).mean(), rel=0.02)
