"""A neural pair potential: Gaussians of r, a small network, and a soft repulsion as prior."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from diffpair.errors import DiffPairError
from diffpair.potentials.analytic import SoftSphere
from diffpair.potentials.base import PairPotential


class GaussianMLP(PairPotential):
    """u_ab(r) = e MLP_ab(gaussians(r)) + prior_ab(r), as in J. Chem. Phys. 158, 044113 (2023), section III.

    All numbers of the paper are in units of sigma and epsilon; here `length` (nm) and `energy` (kJ/mol) carry them
    over to any system. The last layer starts small, so that the potential starts close to its prior.

    Args:
        types, cutoff, switch_width, learned: see PairPotential.
        length: the paper's sigma in nm: about the contact distance of two particles.
        energy: e, the scale of the network's output in kJ/mol; kT is a good choice.
        gaussians: how many, evenly from length / 2 to the cutoff; None: one width apart.
        width: of one Gaussian, nm; None: the distance between them, or 0.1 `length` if their number is not given
        either.
        hidden: units of the hidden layers.
        prior: a potential that is added; None: the soft repulsion `energy` (0.9 length / r)^10, learned like the rest.
        seed: of the initial weights.
    """

    def __init__(
        self,
        types: tuple[str, ...],
        cutoff: float,
        *,
        length: float = 1.0,
        energy: float = 1.0,
        gaussians: int | None = None,
        width: float | None = None,
        hidden: tuple[int, ...] = (128, 128, 128),
        prior: PairPotential | None = None,
        switch_width: float | None = None,
        seed: int = 0,
        learned: Sequence[int] | None = None,
    ) -> None:
        super().__init__(types, cutoff, switch_width, learned)
        if not (length > 0 and energy > 0):
            raise DiffPairError(
                f"length and energy of a network must be positive, not {length:g} nm, {energy:g} kJ/mol"
            )
        if width is not None and not width > 0:
            raise DiffPairError(f"the width of the Gaussians must be positive, not {width:g} nm")
        if gaussians is not None and gaussians < 2:
            raise DiffPairError(f"a network needs 2 or more Gaussians, not {gaussians}")
        first = 0.5 * min(length, self.cutoff)
        if gaussians is None:
            gaussians = math.ceil((self.cutoff - first) / (0.1 * length if width is None else width)) + 1
        self.energy = float(energy)
        self.gaussian_width = (self.cutoff - first) / (gaussians - 1) if width is None else float(width)
        self.centres: Tensor
        self.register_buffer("centres", torch.linspace(first, self.cutoff, gaussians, dtype=torch.float64))
        self.network = _network([gaussians, *hidden, self.npairs], seed)
        self.prior = (
            SoftSphere(self.types, self.cutoff, epsilon=energy, sigma=0.9 * length, n=10.0, learned=learned)
            if prior is None
            else prior
        )

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        r = r.to(self.centres.dtype)
        gaussians = torch.exp(-0.5 * ((r[:, None] - self.centres[None, :]) / self.gaussian_width) ** 2)
        return self.network(gaussians).t() * self.energy + self.prior(r)


def _network(sizes: list[int], seed: int) -> nn.Sequential:
    """Linear layers with SiLU between them, smooth as a force needs it, float64."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        last = len(layers) == 2 * (len(sizes) - 2)
        linear = nn.Linear(n_in, n_out, dtype=torch.float64)
        bound = math.sqrt(3.0 / n_in) * (0.1 if last else 1.0)
        with torch.no_grad():
            linear.weight.copy_((2 * torch.rand(n_out, n_in, generator=generator, dtype=torch.float64) - 1) * bound)
            linear.bias.zero_()
        layers += [linear] if last else [linear, nn.SiLU()]
    return nn.Sequential(*layers)
