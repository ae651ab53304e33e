"""Pairs of neighbours in plain torch: their separations, and what a spline in their distance pulls them by."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffpair.systems.nearest_image import nearest_image


def minimum_image(separation: Tensor, box: Tensor) -> Tensor:
    """`nearest_image` of separations [..., 3] in a box [3, 3], in float64; zeros: no periodicity.

    Differentiable: the box vectors taken off are a constant.
    """
    d = separation.double()
    with torch.no_grad():
        shift = nearest_image(d, box) - d
    return d + shift


class SplinePairs(NamedTuple):
    """Pairs within the cutoff of a spline, n of them.

    i, j: particles, [n]. d: separations x_j - x_i, [n, 3] nm. r: their lengths, [n]. row: of the pair of types, [n].
    first: of the four coefficients that count at r, [n]. t: place between two knots in knot spacings, 0 below r_min,
    [n]. below: r is below r_min, [n]. spacing: of the knots, nm.
    """

    i: Tensor
    j: Tensor
    d: Tensor
    r: Tensor
    row: Tensor
    first: Tensor
    t: Tensor
    below: Tensor
    spacing: float

    def slopes(self) -> list[Tensor]:
        """dU'(r)/dc of the four coefficients, [n] each in 1/nm: U' is a quadratic B-spline over first differences."""
        t, half = self.t, 0.5 / self.spacing
        weights = [(1 - t) ** 2, 1 + 2 * t - 2 * t**2, t**2]
        return [half * w for w in (-weights[0], weights[0] - weights[1], weights[1] - weights[2], weights[2])]


def spline_pairs(
    x: Tensor, box: Tensor, types: Tensor, exclusions: Tensor, num_types: int, r_min: float, cutoff: float, knots: int
) -> SplinePairs:
    """The pairs of one frame, x [N, 3] and box [3, 3] in nm, that a spline (`Table.h`) acts between."""
    h = (cutoff - r_min) / (knots - 1)
    i, j = torch.ops.diffpair.neighbor_pairs(x.detach(), box, exclusions, cutoff).T
    d = minimum_image(x[j] - x[i], box)
    inside = d.detach().norm(dim=-1) < cutoff
    i, j, d = i[inside], j[inside], d[inside]
    r = d.norm(dim=-1)
    low, high = torch.minimum(types[i], types[j]).long(), torch.maximum(types[i], types[j]).long()
    row = low * num_types - low * (low - 1) // 2 + high - low
    s = (r - r_min) / h
    first = s.detach().floor().long().clamp(0, knots - 2)
    return SplinePairs(i, j, d, r, row, first, (s - first).clamp(min=0), s < 0, h)


def radial_slope_gradient(
    x: Tensor, box: Tensor, coefficients: Tensor, types: Tensor, exclusions: Tensor, num_types: int, r_min: float,
    cutoff: float,
) -> Tensor:  # fmt: skip
    """Gradient with respect to x of sum_pairs r U'(r), U the spline with these coefficients (`Table.h`); [N, 3].

    A pair adds U' + r U'' along its unit vector. U'' is linear between the knots, where it is the second difference of
    the coefficients over h^2; U is linear below r_min.
    """
    near = spline_pairs(x, box, types, exclusions, num_types, r_min, cutoff, coefficients.shape[-1] - 2)
    c = [coefficients[near.row, near.first + k] for k in range(4)]
    slope = torch.stack([w * ck for w, ck in zip(near.slopes(), c, strict=True)]).sum(0)
    bend = torch.lerp(c[2] - 2 * c[1] + c[0], c[3] - 2 * c[2] + c[1], near.t) / near.spacing**2
    curvature = torch.where(near.below, 0.0, bend)
    along = torch.where(near.r > 0, (slope + near.r * curvature) / near.r.clamp(min=1e-30), 0.0)
    pull = (along[:, None] * near.d).to(x.dtype)
    return torch.zeros_like(x).index_add(0, near.j, pull).index_add(0, near.i, -pull)


def spline_work(
    x: Tensor, box: Tensor, moves: Tensor, types: Tensor, exclusions: Tensor, num_types: int, r_min: float,
    cutoff: float, knots: int,
) -> Tensor:  # fmt: skip
    """How the sums over pairs of B_k(r) change along moves [N, 3] of the particles: sums of B_k'(r) times what they
    lengthen r by, [P, knots + 2] float64."""
    near = spline_pairs(x, box, types, exclusions, num_types, r_min, cutoff, knots)
    longer = ((moves[near.j] - moves[near.i]) * near.d).sum(-1) / near.r.clamp(min=1e-30)
    width = knots + 2
    sums = torch.zeros(num_types * (num_types + 1) // 2 * width, dtype=torch.float64)
    for k, slope in enumerate(near.slopes()):
        sums.index_add_(0, near.row * width + near.first + k, longer * slope)
    return sums.reshape(-1, width)
