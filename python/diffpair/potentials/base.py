"""What every pair potential is to the rest of DiffPair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from diffpair.errors import DiffPairError


class TableGrid(NamedTuple):
    """Knots of a table: `knots` uniform ones from r_min to cutoff, both in nm."""

    r_min: float
    cutoff: float
    knots: int

    @property
    def spacing(self) -> float:
        """Distance between knots in nm."""
        return (self.cutoff - self.r_min) / (self.knots - 1)

    def nodes(self) -> Tensor:
        """Radii of the knots in nm, float64 [knots]."""
        return torch.linspace(self.r_min, self.cutoff, self.knots, dtype=torch.float64)

    def centres(self) -> Tensor:
        """Where the basis functions of the coefficients are centred, nm, float64 [knots + 2]."""
        return self.r_min + self.spacing * (torch.arange(self.knots + 2, dtype=torch.float64) - 1)


class PairPotential(nn.Module):
    """Base of the pair potentials u_ab(r; theta).

    A subclass defines `forward(r, *global_parameters)`: distances r [n] in nm and one scalar tensor per name in
    `global_names` go in, energies [npairs, n] in kJ/mol come out, pairs of types in the order (0,0), (0,1) .. (0,T-1),
    (1,1) .., or those of them that are learned. `torch.jit.script` must accept it. The switching function at the cutoff
    is not part of forward: `tabulate` multiplies by it, and gives every other pair the row 0.

    Args:
        types: names of the particle types, unique.
        cutoff: nm.
        switch_width: width of the switching function in nm; a tenth of the cutoff by default.
        learned: which pairs of types have a potential, as rows of a table, rising; all of them by default.

    Attributes:
        npairs: how many pairs have a potential. all_pairs: how many there are, the rows of a table.
    """

    def __init__(
        self, types: tuple[str, ...], cutoff: float, switch_width: float | None = None,
        learned: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if not types or len(set(types)) != len(types):
            raise DiffPairError(f"types must be one or more unique names, not {list(types)}")
        if not cutoff > 0:
            raise DiffPairError(f"the cutoff must be positive, not {cutoff:g} nm")
        self.types = tuple(types)
        self.cutoff = float(cutoff)
        self.switch_width = 0.1 * self.cutoff if switch_width is None else float(switch_width)
        if not 0 <= self.switch_width <= self.cutoff:
            raise DiffPairError(f"switch_width must lie between 0 and the cutoff, not {self.switch_width:g} nm")
        self.all_pairs = len(self.types) * (len(self.types) + 1) // 2
        self.learned: tuple[int, ...] = tuple(range(self.all_pairs) if learned is None else learned)
        if not self.learned or sorted(set(self.learned) & set(range(self.all_pairs))) != list(self.learned):
            raise DiffPairError(f"learned pairs must be rising rows of {self.all_pairs}, not {list(self.learned)}")
        self.npairs = len(self.learned)
        self.global_names: list[str] = []

    @torch.jit.unused
    def of_all_pairs(self, values: Tensor) -> Tensor:
        """Values [npairs, ...] of the learned pairs with 0 for the others, [all_pairs, ...]; differentiable."""
        if self.npairs == self.all_pairs:
            return values
        rows = torch.tensor(self.learned, device=values.device)
        return values.new_zeros(self.all_pairs, *values.shape[1:]).index_copy(0, rows, values)

    def exact_coefficients(self, grid: TableGrid, parameters: tuple[float, ...]) -> Tensor | None:
        """Table coefficients [npairs, knots + 2] of a potential that is a spline on this grid, otherwise None."""
        return None

    def own_grid(self) -> TableGrid | None:
        """The grid a spline potential lives on; None for one that any grid may hold."""
        return None

    def reference_temperature(self) -> float | None:
        """T0 in K of a potential U(r) - (T - T0) S(r), whose one global parameter is the temperature T; otherwise
        None."""
        return None


def per_pair(value: float | list[float] | Tensor, npairs: int, name: str) -> Tensor:
    """One number, or one per pair of types, as float64 [npairs, 1]."""
    tensor = torch.as_tensor(value, dtype=torch.float64).reshape(-1)
    if tensor.numel() not in (1, npairs):
        raise DiffPairError(f"{name} needs 1 or {npairs} values, one per pair of types, not {tensor.numel()}")
    if not torch.isfinite(tensor).all():
        raise DiffPairError(f"{name} holds a value that is not finite: {tensor.tolist()}")
    return tensor.expand(npairs).clone().reshape(npairs, 1)


def positive_logarithm(value: float | list[float] | Tensor, npairs: int, name: str) -> nn.Parameter:
    """Logarithm of a positive quantity as a parameter [npairs, 1]: an update can then never turn its sign."""
    tensor = per_pair(value, npairs, name)
    if not (tensor > 0).all():
        raise DiffPairError(f"{name} must be positive, not {tensor.flatten().tolist()}")
    return nn.Parameter(tensor.log())
