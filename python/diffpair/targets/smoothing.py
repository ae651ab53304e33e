"""From the plain histogram of g to what the smooth RDF of the fit would measure.

The fit's RDF counts pairs with a cubic B-spline of one bin's width D, which is the 4-fold convolution of a box:

    g4(r_k) = integral g(r) 4 pi r^2 B((r - r_k) / D) dr / [4 pi D (r_k^2 + D^2 / 3)]

(D^2 / 3 is the kernel's variance, so an ideal gas gives 1 exactly.) A histogram is the same with one box:
g1(r_k) 4 pi (r_k^2 + D^2 / 12) = A(r_k), the shell density 4 pi r^2 g(r) averaged over the bin. So g4 follows from g1
by three more boxes, without knowing g inside the bins: A is interpolated by a cubic spline,
A(x) = sum_j a_j B(x / D - j), and three boxes turn B, at the bin centres, into the B-spline of degree 6. Done for
h = g - 1: both ends of the scale, g = 0 and g = 1, are then reproduced exactly, because a cubic spline reproduces r^2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The B-spline of degree 6 at the integers -3 .. 3.
_DEGREE_SIX = np.array([1.0, 722.0, 10543.0, 23548.0, 10543.0, 722.0, 1.0]) / 46080.0
_PADDING = 8
_CORE = 0.01


def smooth_histogram(r: Array, g: Array) -> Array:
    """g4 at the bin centres from the histogram g on an even grid of bin centres r in nm; both [nbins].

    Two values next to an end where the data stop are NaN. At the inner end data count as complete when the first two
    bins hold less than 1 % of the maximum: there g = 0 below.
    """
    width = (r[-1] - r[0]) / (len(r) - 1)
    has_core = bool((g[:2] <= _CORE * g.max()).all())
    padding = _PADDING if has_core else 0
    centres = r[0] + width * np.arange(-padding, len(r))
    h = np.concatenate([np.full(padding, -1.0), g - 1.0])
    shell = 4.0 * np.pi * (centres**2 + width**2 / 12.0) * h
    # Coefficients a[-1] .. a[n]; three values are missing on each side of the convolution below, of which two matter.
    a = _spline_coefficients(shell)
    smooth_shell = np.full(len(centres), np.nan)
    smooth_shell[2:-2] = np.convolve(a, _DEGREE_SIX, mode="valid")
    smooth = 1.0 + smooth_shell / (4.0 * np.pi * (centres**2 + width**2 / 3.0))
    result: Array = smooth[padding:]
    return result


def _spline_coefficients(values: Array) -> Array:
    """Cubic B-spline coefficients a[-1 .. n] of the not-a-knot interpolant of values[0 .. n-1] at unit spacing.

    (a[j-1] + 4 a[j] + a[j+1]) / 6 = values[j]; the third derivative is continuous at the second and the last but one
    point, which makes cubic polynomials exact up to the ends.
    """
    n = len(values)
    matrix = np.zeros((n + 2, n + 2))
    rows = np.arange(n)
    for offset, weight in enumerate((1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0)):
        matrix[rows, rows + offset] = weight
    fourth_difference = [1.0, -4.0, 6.0, -4.0, 1.0]
    matrix[n, :5] = fourth_difference
    matrix[n + 1, -5:] = fourth_difference
    return np.linalg.solve(matrix, np.concatenate([values, [0.0, 0.0]]))
