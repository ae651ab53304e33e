"""Pairs of neighbours in plain torch: their separations, and what a spline in their distance pulls them by."""

from __future__ import annotations

import torch
from torch import Tensor


def minimum_image(separation: Tensor, box: Tensor) -> Tensor:
    """The shortest image of separations [..., 3] in a box [3, 3] of reduced form (rows, nm); zeros: no periodicity.

    Exact for images shorter than half the box, as `PairSystem.h` counts it. Computed in float64; differentiable, the
    number of box vectors taken off being a constant.
    """
    d = separation.double()
    edges = torch.diagonal(box)
    per_edge = torch.where(edges > 0, 1 / edges, 0.0)
    with torch.no_grad():
        rest = d
        for axis in (2, 1, 0):
            rest = rest - torch.round(rest[..., axis : axis + 1] * per_edge[axis]) * box[axis]
        shift = rest - d
    return d + shift


def radial_slope_gradient(
    x: Tensor, box: Tensor, coefficients: Tensor, types: Tensor, exclusions: Tensor, num_types: int, r_min: float,
    cutoff: float,
) -> Tensor:  # fmt: skip
    """Gradient with respect to x of sum_pairs r U'(r), U the spline with these coefficients (`Table.h`); [N, 3].

    A pair adds U' + r U'' along its unit vector. U'' is linear between the knots, where it is the second difference of
    the coefficients over h^2; U is linear below r_min.
    """
    knots = coefficients.shape[-1] - 2
    h = (cutoff - r_min) / (knots - 1)
    i, j = torch.ops.diffpair.neighbor_pairs(x.detach(), box, exclusions, cutoff).T
    d = minimum_image(x[j] - x[i], box)
    r = d.norm(dim=-1)
    low, high = torch.minimum(types[i], types[j]).long(), torch.maximum(types[i], types[j]).long()
    row = low * num_types - low * (low - 1) // 2 + high - low

    s = (r - r_min) / h
    first = s.detach().floor().long().clamp(0, knots - 2)
    t = (s - first).clamp(min=0)
    c0, c1, c2, c3 = (coefficients[row, first + k] for k in range(4))
    # U' by its quadratic B-spline over the first differences
    slope = ((1 - t) ** 2 * (c1 - c0) + (1 + 2 * t - 2 * t**2) * (c2 - c1) + t**2 * (c3 - c2)) / (2 * h)
    curvature = torch.where(s < 0, 0.0, torch.lerp(c2 - 2 * c1 + c0, c3 - 2 * c2 + c1, t) / h**2)
    along = torch.where((r < cutoff) & (r > 0), (slope + r * curvature) / r.clamp(min=1e-30), 0.0)
    pull = (along[:, None] * d).to(x.dtype)
    return torch.zeros_like(x).index_add(0, j, pull).index_add(0, i, -pull)
