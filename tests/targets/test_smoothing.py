"""RdfTarget.smoothed against direct quadrature: a known g's histogram must become what the spline kernel sees."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from diffpair.errors import DiffPairError
from diffpair.targets import RdfTarget

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def liquid_like(r):
    r = np.maximum(r, 0.3)
    return np.exp(-4 * (r**-12 - r**-6)) * (1 + 0.3 * np.cos(6.5 * r) * np.exp(-0.8 * r))


def soft_core(r):
    return 1 - 0.7 * np.exp(-((r / 0.8) ** 2))


def integral(function, low, high):
    """Gauss-Legendre over [low, high], arrays of limits."""
    middle, half = (low + high) / 2, (high - low) / 2
    return half * (WEIGHTS[:, None] * function(middle + half * NODES[:, None])).sum(0)


def histogram(g, r, width):
    """Average over each bin, weighted with r^2."""
    shell = integral(lambda x: g(x) * x**2, r - width / 2, r + width / 2)
    return shell / integral(lambda x: x**2, r - width / 2, r + width / 2)


def smooth(g, r, width):
    """The same with the cubic B-spline of one bin's width, piece by piece."""
    kernel = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)
    total, norm = np.zeros_like(r), np.zeros_like(r)
    for piece in range(-2, 2):
        low, high = r + piece * width, r + (piece + 1) * width
        total += integral(lambda x: g(x) * x**2 * kernel((x - r) / width), low, high)
        norm += integral(lambda x: x**2 * kernel((x - r) / width), low, high)
    return total / norm


@pytest.mark.parametrize(("width", "tolerance"), [(0.0255, 1e-4), (0.05, 6e-3)])
def test_smoothed_histogram_is_the_smooth_rdf(width, tolerance):
    r = 0.75 + width * (np.arange(int(2.55 / width)) + 0.5)
    plain, truth = histogram(liquid_like, r, width), smooth(liquid_like, r, width)
    smoothed = RdfTarget(("A", "A"), r, plain).smoothed()
    assert np.isnan(smoothed[-2:]).all() and np.isfinite(smoothed[:-2]).all()
    error = np.abs(smoothed - truth)[:-2].max()
    assert error < tolerance
    # Without smoothing the comparison would be off by far more: the method does something, and the right thing.
    assert error < 0.12 * np.abs(plain - truth)[:-2].max()


def test_error_falls_with_the_sixth_power_of_the_width():
    errors = []
    for width in (0.02, 0.01):
        r = 0.75 + width * (np.arange(int(2.4 / width)) + 0.5)
        smoothed = RdfTarget(("A", "A"), r, histogram(liquid_like, r, width)).smoothed()
        errors.append(np.nanmax(np.abs(smoothed - smooth(liquid_like, r, width))))
    assert errors[1] < errors[0] / 45


def test_without_core_both_ends_are_unknown():
    width = 0.05
    r = 0.5 + width * (np.arange(40) + 0.5)
    smoothed = RdfTarget(("A", "A"), r, histogram(soft_core, r, width)).smoothed()
    assert np.isnan(smoothed[[0, 1, -2, -1]]).all()
    np.testing.assert_allclose(smoothed[2:-2], smooth(soft_core, r, width)[2:-2], atol=1e-5)


def test_ideal_gas_stays_one():
    r = 0.02 * (np.arange(80) + 0.5)
    np.testing.assert_allclose(RdfTarget(("A", "A"), r, np.ones(80)).smoothed()[2:-2], 1.0, atol=1e-12)


def test_empty_core_stays_zero():
    r = 0.02 * (np.arange(80) + 0.5)
    smoothed = RdfTarget(("A", "A"), r, np.where(r < 1.2, 0.0, 1.0)).smoothed()
    assert np.abs(smoothed[:40]).max() < 1e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"g": np.ones(9)}, r"g has the shape \(9,\), r has \(10,\)"),
        ({"g": np.full(10, np.nan)}, "g holds a value that is not finite"),
        ({"g": np.linspace(-0.1, 1, 10)}, "g is negative at r = 0.1 nm"),
        ({"error": np.full(10, np.inf)}, "error holds a value that is not finite"),
        ({"r": 0.1 * np.arange(1, 11) ** 1.1}, "not an even, increasing grid"),
        ({"r": 0.1 * np.arange(10)}, "reaches below r = 0"),
        ({"r": 0.1 * np.arange(1, 5), "g": np.ones(4)}, "has 4 bins, but a target needs at least 8"),
    ],
)
def test_refusals(change, message):
    arguments = {"pair": ("A", "B"), "r": 0.1 * np.arange(1, 11), "g": np.ones(10)}
    with pytest.raises(DiffPairError, match=f"target A-B: .*{message}"):
        RdfTarget(**(arguments | change))
