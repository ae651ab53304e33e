"""Analytic pair potentials with learnable parameters, the families of J. Chem. Phys. 158, 044113 (2023).

Every parameter is one value per pair of types. Those that must be positive are learned as logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from diffpair.errors import DiffPairError
from diffpair.potentials.base import PairPotential, per_pair, positive_logarithm

Value = float | list[float]
Types = tuple[str, ...]
Learned = Sequence[int] | None  # see PairPotential


class _WithLogarithms(PairPotential):
    """The part that the forms share: positive parameters `name`, held as `log_name` [npairs, 1]."""

    def __init__(
        self, types: Types, cutoff: float, switch_width: float | None, learned: Learned, **positive: Value
    ) -> None:
        super().__init__(types, cutoff, switch_width, learned)
        self.log_epsilon: Tensor
        self.log_sigma: Tensor
        for name, value in positive.items():
            self.register_parameter(f"log_{name}", positive_logarithm(value, self.npairs, name))

    def log_ratio(self, r: Tensor) -> Tensor:
        """ln(sigma / r), [npairs, n]."""
        return self.log_sigma - torch.log(r.to(self.log_sigma.dtype))[None, :]


class LennardJones(_WithLogarithms):
    """u(r) = 4 epsilon [(sigma/r)^12 - (sigma/r)^6]; epsilon in kJ/mol, sigma in nm."""

    def __init__(
        self, types: Types, cutoff: float, epsilon: Value = 1.0, sigma: Value = 1.0,
        switch_width: float | None = None, learned: Learned = None,
    ) -> None:  # fmt: skip
        super().__init__(types, cutoff, switch_width, learned, epsilon=epsilon, sigma=sigma)

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        x6 = torch.exp(6 * self.log_ratio(r))
        return 4 * torch.exp(self.log_epsilon) * (x6 * x6 - x6)


class GeneralisedLennardJones(_WithLogarithms):
    """u(r) = 4 epsilon [(sigma/r)^n - (sigma/r)^m], n > m > 0.

    The exponents are learned too if `learn_exponents`; n - m stays positive by construction.
    """

    def __init__(
        self, types: Types, cutoff: float, epsilon: Value = 1.0, sigma: Value = 1.0,
        n: Value = 12.0, m: Value = 6.0, learn_exponents: bool = True, switch_width: float | None = None,
        learned: Learned = None,
    ) -> None:  # fmt: skip
        super().__init__(types, cutoff, switch_width, learned, epsilon=epsilon, sigma=sigma)
        steep, soft = per_pair(n, self.npairs, "n"), per_pair(m, self.npairs, "m")
        if not (steep > soft).all() or not (soft > 0).all():
            raise DiffPairError(
                f"the exponents need n > m > 0, not n = {steep.flatten().tolist()}, m = {soft.flatten().tolist()}"
            )
        self.log_m = nn.Parameter(soft.log(), requires_grad=learn_exponents)
        self.log_gap = nn.Parameter((steep - soft).log(), requires_grad=learn_exponents)

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        m = torch.exp(self.log_m)
        n = m + torch.exp(self.log_gap)
        log_x = self.log_ratio(r)
        return 4 * torch.exp(self.log_epsilon) * (torch.exp(n * log_x) - torch.exp(m * log_x))


class Yukawa(_WithLogarithms):
    """u(r) = epsilon (sigma/r) exp(-kappa (r - sigma)); epsilon may have either sign, kappa in 1/nm.

    epsilon and sigma would be degenerate, so sigma, a mere unit of length, stays as given.
    """

    def __init__(
        self, types: Types, cutoff: float, epsilon: Value = 1.0, sigma: Value = 1.0, kappa: Value = 1.0,
        switch_width: float | None = None, learned: Learned = None,
    ) -> None:  # fmt: skip
        super().__init__(types, cutoff, switch_width, learned, kappa=kappa)
        self.log_kappa: Tensor
        self.epsilon = nn.Parameter(per_pair(epsilon, self.npairs, "epsilon"))
        self.sigma: Tensor
        self.register_buffer("sigma", per_pair(sigma, self.npairs, "sigma"))

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        r = r.to(self.epsilon.dtype)[None, :]
        return self.epsilon * self.sigma / r * torch.exp(-torch.exp(self.log_kappa) * (r - self.sigma))


class SoftSphere(_WithLogarithms):
    """u(r) = epsilon (sigma/r)^n. sigma and n are learned; epsilon, degenerate with sigma, stays as given."""

    def __init__(
        self, types: Types, cutoff: float, epsilon: Value = 1.0, sigma: Value = 1.0, n: Value = 12.0,
        switch_width: float | None = None, learned: Learned = None,
    ) -> None:  # fmt: skip
        super().__init__(types, cutoff, switch_width, learned, sigma=sigma, n=n)
        self.log_n: Tensor
        self.epsilon: Tensor
        self.register_buffer("epsilon", per_pair(epsilon, self.npairs, "epsilon"))

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        return self.epsilon * torch.exp(torch.exp(self.log_n) * self.log_ratio(r))


class ModifiedMorse(_WithLogarithms):
    """u(r) = epsilon [exp(2 y) - 2 exp(y) - A] / (1 + A), y = a (1 - (r/sigma)^phi) / phi, phi != 0.

    phi = 1 is the Morse potential epsilon [(1 - exp(-alpha (r - sigma)))^2 - 1] with alpha = a / sigma. A = exp(2
    a/phi) - 2 exp(a/phi) for phi < 0, so that U vanishes at infinity, else 0. phi is learned if `learn_phi`, and
    keeps the sign it starts with.
    """

    def __init__(
        self, types: Types, cutoff: float, epsilon: Value = 1.0, sigma: Value = 1.0,
        a: Value = 5.0, phi: Value = 1.0, learn_phi: bool = True, switch_width: float | None = None,
        learned: Learned = None,
    ) -> None:  # fmt: skip
        super().__init__(types, cutoff, switch_width, learned, epsilon=epsilon, sigma=sigma, a=a)
        self.log_a: Tensor
        start = per_pair(phi, self.npairs, "phi")
        if (start == 0).any():
            raise DiffPairError("phi of a modified Morse potential must not be 0")
        self.log_phi = nn.Parameter(start.abs().log(), requires_grad=learn_phi)
        self.sign: Tensor
        self.register_buffer("sign", start.sign())

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        phi = self.sign * torch.exp(self.log_phi)
        a = torch.exp(self.log_a)
        x = torch.exp(-phi * self.log_ratio(r))
        y = a * (1 - x) / phi
        infinity = torch.where(phi < 0, torch.exp(2 * a / phi) - 2 * torch.exp(a / phi), torch.zeros_like(phi))
        well = torch.exp(2 * y) - 2 * torch.exp(y) - infinity
        return torch.exp(self.log_epsilon) * well / (1 + infinity)
