"""The same physics in plain torch: all pairs, dense, slow and obvious. What the operators are compared with."""

from __future__ import annotations

import torch
from torch import Tensor


def bspline(u: Tensor) -> Tensor:
    """The cubic B-spline of unit knots, centred at 0, by its truncated-power formula."""
    total = torch.zeros_like(u)
    for sign, shift in ((1, 2), (-4, 1), (6, 0), (-4, -1), (1, -2)):
        total = total + sign * torch.clamp(u + shift, min=0) ** 3
    return torch.where(u.abs() < 2, total / 6, torch.zeros_like(u))


def basis(r: Tensor, r_min: float, cutoff: float, knots: int) -> Tensor:
    """B_k(r) [.., knots + 2]: linear below r_min, nothing from the cutoff on."""
    h = (cutoff - r_min) / (knots - 1)
    centres = torch.arange(knots + 2, dtype=r.dtype) - 1
    s = ((r - r_min) / h)[..., None]
    inside = bspline(s - centres)
    at_start = bspline(-centres)
    slope = torch.zeros(knots + 2, dtype=r.dtype)
    slope[0], slope[2] = -0.5, 0.5
    return torch.where(
        s < 0, at_start + slope * s, torch.where(r[..., None] < cutoff, inside, torch.zeros_like(inside))
    )


def pair_index(types: Tensor, num_types: int, i: Tensor, j: Tensor) -> Tensor:
    """Row of each pair in the order (0,0), (0,1) .. (0,T-1), (1,1) .."""
    a, b = torch.minimum(types[i], types[j]).long(), torch.maximum(types[i], types[j]).long()
    return a * num_types - a * (a - 1) // 2 + b - a


class Pairs:
    """All interacting pairs of a system in a periodic box given by rows in reduced form."""

    def __init__(self, types: Tensor, num_types: int, exclusions: Tensor, box: Tensor) -> None:
        i, j = torch.triu_indices(len(types), len(types), offset=1)
        excluded = {tuple(sorted(pair)) for pair in exclusions.tolist()}
        keep = torch.tensor([(a, b) not in excluded for a, b in zip(i.tolist(), j.tolist(), strict=True)])
        self.i, self.j, self.box = i[keep], j[keep], box
        self.row = pair_index(types, num_types, self.i, self.j)

    def distances(self, x: Tensor) -> Tensor:
        """Nearest image among the 27 around each pair; [pairs]."""
        d = x[self.i] - x[self.j]
        shifts = torch.cartesian_prod(*[torch.arange(-1, 2, dtype=x.dtype)] * 3) @ self.box
        if bool(self.box.any()):
            d = d - torch.round(d.detach() @ torch.linalg.inv(self.box)) @ self.box
            images = d[:, None, :] + shifts[None]
            nearest = (images.detach() ** 2).sum(-1).argmin(1)
            d = images[torch.arange(len(d)), nearest]
        return d.norm(dim=-1)

    def spline_sums(self, x: Tensor, num_rows: int, r_min: float, cutoff: float, knots: int) -> Tensor:
        """Sum over pairs of B_k(r): [num_rows, knots + 2]."""
        values = basis(self.distances(x), r_min, cutoff, knots)
        return torch.zeros(num_rows, knots + 2, dtype=x.dtype).index_add(0, self.row, values)

    def energy(self, x: Tensor, coefficients: Tensor, r_min: float, cutoff: float) -> Tensor:
        """Sum over pairs of U(r), kJ/mol."""
        sums = self.spline_sums(x, coefficients.shape[0], r_min, cutoff, coefficients.shape[1] - 2)
        return (coefficients * sums).sum()


def trajectory(
    pairs: Pairs,
    x: Tensor,
    v: Tensor,
    c: Tensor,
    r_min: float,
    cutoff: float,
    inverse_mass: Tensor,
    dt: float,
    steps: int,
) -> tuple[Tensor, Tensor]:
    """Leapfrog by autograd forces, differentiable to everything; positions and velocities [steps, N, 3]."""
    xs, vs = [], []
    for _ in range(steps):
        x_in = x if x.requires_grad else x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(pairs.energy(x_in, c, r_min, cutoff), x_in, create_graph=True)
        v = v - dt * inverse_mass[:, None] * slope
        x = x_in + dt * v
        xs.append(x)
        vs.append(v)
    return torch.stack(xs), torch.stack(vs)
