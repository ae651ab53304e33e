"""From the plain histogram of g to what the smooth RDF of the fit would measure.

The fit's RDF counts pairs with a cubic B-spline of one bin's width D, which is the 4-fold convolution of a box:

    g4(r_k) = integral g(r) 4 pi r^2 B((r - r_k) / D) dr / [4 pi D (r_k^2 + D^2 / 3)]

(D^2 / 3 is the kernel's variance, so an ideal gas gives 1 exactly.) A histogram is the same with one box:
g1(r_k) 4 pi (r_k^2 + D^2 / 12) = A(r_k), the shell density 4 pi r^2 g(r) averaged over the bin. So g4 follows from g1
by three more boxes, without knowing g inside the bins: A is interpolated by a quintic spline, and three boxes are the
third difference of its third integral. A cubic one is not enough in the core, where g grows tenfold from bin to bin.
Done for h = g - 1: both ends of the scale, g = 0 and g = 1, are then reproduced exactly, because splines reproduce r^2.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from diffpair.targets.sampled import CORE

Array = NDArray[np.float64]

_PADDING = 8


def smooth_histogram(r: Array, g: Array) -> Array:
    """g4 at the bin centres from the histogram g on an even grid of bin centres r in nm; both [nbins].

    Two values next to an end where the data stop are NaN. At the inner end data count as complete when the first two
    bins hold less than 1 % of the maximum: there g = 0 below.
    """
    width = (r[-1] - r[0]) / (len(r) - 1)
    has_core = bool((g[:2] <= CORE * g.max()).all())
    padding = _PADDING if has_core else 0
    centres = r[0] + width * np.arange(-padding, len(r))
    h = np.concatenate([np.full(padding, -1.0), g - 1.0])
    shell = 4.0 * np.pi * (centres**2 + width**2 / 12.0) * h
    bins = np.arange(float(len(centres)))
    integral = scipy.interpolate.make_interp_spline(bins, shell, k=5).antiderivative(3)
    smooth_shell = np.full(len(centres), np.nan)
    inside = bins[2:-2]
    smooth_shell[2:-2] = sum(f * integral(inside + x) for f, x in ((1, 1.5), (-3, 0.5), (3, -0.5), (-1, -1.5)))
    smooth = 1.0 + smooth_shell / (4.0 * np.pi * (centres**2 + width**2 / 3.0))
    result: Array = smooth[padding:]
    empty = (scipy.ndimage.maximum_filter1d(g, 5) == 0) & np.isfinite(result)  # no pairs as far as the kernel reaches
    return np.where(empty, 0.0, result)
