"""The same physics in plain torch: all pairs, dense, slow and obvious. What the operators are compared with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
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


KB = 1.380649e-23 * 6.02214076e23 / 1000  # kJ/mol/K

Theta = Callable[[int, Tensor], Tensor]  # step and v' to v''


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
    theta: Theta | None = None,
) -> tuple[Tensor, Tensor]:
    """The middle scheme by autograd forces, differentiable to everything; positions and velocities [steps, N, 3]."""
    xs, vs = [], []
    for t in range(steps):
        x_in = x if x.requires_grad else x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(pairs.energy(x_in, c, r_min, cutoff), x_in, create_graph=True)
        v = v - dt * inverse_mass[:, None] * slope
        x = x_in + dt / 2 * v
        v = v if theta is None else theta(t, v)
        x = x + dt / 2 * v
        xs.append(x)
        vs.append(v)
    return torch.stack(xs), torch.stack(vs)


def philox(counter: tuple[int, int, int, int], seed: int) -> tuple[int, int, int, int]:
    """Philox4x32-10 on Python's integers, round by round as in Salmon et al. (SC11, 2011), section 4.3."""
    mask = 0xFFFFFFFF
    left, right = (counter[0], counter[2]), (counter[1], counter[3])
    keys = [seed & mask, seed >> 32 & mask]
    for _ in range(10):
        products = (0xD2511F53 * left[0], 0xCD9E8D57 * left[1])
        high, low = [p >> 32 for p in products], [p & mask for p in products]
        left = (high[1] ^ right[0] ^ keys[0], high[0] ^ right[1] ^ keys[1])
        right = (low[1], low[0])
        keys = [(keys[0] + 0x9E3779B9) & mask, (keys[1] + 0xBB67AE85) & mask]
    return left[0], right[0], left[1], right[1]


def noise(seed: int, replica: int, step: int, atoms: int) -> Tensor:
    """Standard normal [N, 3] by Box and Muller from one counter per atom."""
    words = np.array([philox((i, step, replica, 0), seed) for i in range(atoms)], dtype=np.float64) / 2**32
    radius = np.sqrt(-2 * np.log(words[:, 0::2] + 2.0**-32))
    angle = 2 * np.pi * words[:, 1::2]
    return torch.from_numpy(
        np.stack(
            [
                radius[:, 0] * np.cos(angle[:, 0]),
                radius[:, 0] * np.sin(angle[:, 0]),
                radius[:, 1] * np.cos(angle[:, 1]),
            ],
            1,
        )
    )


def langevin_theta(
    temperature: Tensor, friction: Tensor, seed: int, inverse_mass: Tensor, dt: float, replica: int = 0
) -> Theta:
    """Theta of LangevinMiddleIntegrator."""

    def theta(t: int, v: Tensor) -> Tensor:
        a = torch.exp(-friction * dt)
        width = torch.sqrt(KB * temperature * inverse_mass * (1 - a**2))[:, None]
        return a * v + width * noise(seed, replica, t, len(v))

    return theta


_INNER7 = [0.784513610477560, 0.235573213359357, -1.17767998417887]
YOSHIDA_SUZUKI = {
    1: [1.0],
    3: [0.828981543588751, -0.657963087177502, 0.828981543588751],
    5: [0.2967324292201065, 0.2967324292201065, -0.186929716880426, 0.2967324292201065, 0.2967324292201065],
    7: [*_INNER7, 1.31518632068391, *reversed(_INNER7)],
}


def nose_hoover_theta(
    temperature: Tensor,
    frequency: Tensor,
    inverse_mass: Tensor,
    dt: float,
    length: int = 3,
    num_mts: int = 3,
    num_weights: int = 7,
) -> Theta:
    """Theta of NoseHooverIntegrator: bead masses Q and bead forces, as Martyna, Klein and Tuckerman write them."""
    kT, degrees = KB * temperature, 3 * len(inverse_mass)
    Q = [(degrees if bead == 0 else 1) * kT / frequency**2 for bead in range(length)]
    velocities = [torch.zeros((), dtype=torch.float64) for _ in range(length)]

    def force(bead: int, twice_kinetic: Tensor) -> Tensor:
        """On a bead from what drives it: the atoms' twofold kinetic energy, or that of the bead before."""
        if bead == 0:
            return (twice_kinetic - degrees * kT) / Q[0]
        return (Q[bead - 1] * velocities[bead - 1] ** 2 - kT) / Q[bead]

    def half(bead: int, w: float, twice_kinetic: Tensor) -> None:
        kick = w / 2 * force(bead, twice_kinetic)
        if bead + 1 < length:
            damping = torch.exp(-w / 4 * velocities[bead + 1])
            velocities[bead] = damping * (damping * velocities[bead] + kick)
        else:
            velocities[bead] = velocities[bead] + kick

    def theta(t: int, v: Tensor) -> Tensor:
        scale = torch.ones((), dtype=torch.float64)
        kinetic = (v**2 / inverse_mass[:, None]).sum()
        for w in [dt * weight / num_mts for _ in range(num_mts) for weight in YOSHIDA_SUZUKI[num_weights]]:
            for bead in reversed(range(length)):
                half(bead, w, scale**2 * kinetic)
            scale = scale * torch.exp(-w * velocities[0])
            for bead in range(length):
                half(bead, w, scale**2 * kinetic)
        return scale * v

    return theta
