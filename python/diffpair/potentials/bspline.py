"""The free-form potential: the table's own coefficients are the parameters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from diffpair.errors import DiffPairError
from diffpair.potentials.base import PairPotential, TableGrid

ZEROS = 3  # coefficients at the cutoff that are 0, so that U = U' = U'' = 0 there


class BSpline(PairPotential):
    """A uniform cubic B-spline whose coefficients are learned; neither switched nor interpolated.

    Args:
        types, cutoff, learned: see PairPotential.
        r_min: first knot in nm; below it U continues linearly.
        knots: number of knots, 5 or more.

    The parameter `coefficients` is float64 [npairs, knots - 1] in kJ/mol; the table appends three zeros.
    """

    def __init__(
        self, types: tuple[str, ...], cutoff: float, r_min: float, knots: int, learned: Sequence[int] | None = None
    ) -> None:
        super().__init__(types, cutoff, 0.0, learned)
        if knots < 5:
            raise DiffPairError(f"knots must be 5 or more, not {knots}")
        if not 0 <= r_min < cutoff:
            raise DiffPairError(f"r_min = {r_min:g} nm and cutoff = {cutoff:g} nm must obey 0 <= r_min < cutoff")
        self.r_min = float(r_min)
        self.knots = int(knots)
        self.coefficients = nn.Parameter(torch.zeros(self.npairs, knots - 1, dtype=torch.float64))

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        c = nn.functional.pad(self.coefficients, (0, 3))
        spacing = (self.cutoff - self.r_min) / (self.knots - 1)
        s = (r.to(c.dtype) - self.r_min) / spacing
        interval = s.detach().floor().clamp(0, self.knots - 2).to(torch.int64)
        t = s - interval
        low = torch.clamp(t, max=0.0)  # below r_min: the tangent at t = 0
        t = torch.clamp(t, min=0.0)
        u = 1 - t
        c0, c1, c2, c3 = c[:, interval], c[:, interval + 1], c[:, interval + 2], c[:, interval + 3]
        inside = (c0 * u**3 + c1 * (3 * t**3 - 6 * t**2 + 4) + c2 * (3 * u**3 - 6 * u**2 + 4) + c3 * t**3) / 6
        energy = inside + low * 0.5 * (c2 - c0)
        return torch.where(s < self.knots - 1, energy, torch.zeros_like(energy))

    def exact_coefficients(self, grid: TableGrid, parameters: tuple[float, ...]) -> Tensor | None:
        own = self.own_grid()
        if grid != own:
            raise DiffPairError(f"a bspline potential has its own knots: {own} was asked for {grid}")
        return nn.functional.pad(self.coefficients, (0, ZEROS))

    def own_grid(self) -> TableGrid:
        return TableGrid(self.r_min, self.cutoff, self.knots)

    @torch.no_grad()
    def set_coefficients(self, coefficients: Tensor) -> None:
        """Take over table coefficients [npairs, knots + 2] or [npairs, knots - 1]."""
        self.coefficients.copy_(coefficients[:, : self.knots - 1])
