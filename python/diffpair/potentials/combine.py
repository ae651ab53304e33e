"""Potentials made of potentials."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffpair.errors import DiffPairError
from diffpair.potentials.base import PairPotential, TableGrid
from diffpair.potentials.tabulation import tabulate_learned


def _common_grid(parts: list[PairPotential]) -> TableGrid | None:
    grids = {grid for part in parts if (grid := part.own_grid()) is not None}
    if len(grids) > 1:
        raise DiffPairError(f"the spline parts of a potential must share their knots, but they have {sorted(grids)}")
    return grids.pop() if grids else None


def _check_parts(parts: list[PairPotential], what: str) -> None:
    if not parts:
        raise DiffPairError(f"{what} needs at least one part")
    for part in parts[1:]:
        if (part.types, part.learned, part.cutoff) != (parts[0].types, parts[0].learned, parts[0].cutoff):
            raise DiffPairError(f"all parts of {what} must have the same types and cutoff, and the same pairs")
    for part in parts:
        if part.global_names:
            raise DiffPairError(f"a part of {what} must not have global parameters, but one has {part.global_names}")


class Sum(PairPotential):
    """u(r) = the sum of its parts. Each part keeps its own switching function."""

    def __init__(self, parts: list[PairPotential]) -> None:
        _check_parts(parts, "a sum")
        first, width = parts[0], max(part.switch_width for part in parts)
        super().__init__(first.types, first.cutoff, width, first.learned)
        self.parts = nn.ModuleList(parts)
        _common_grid(parts)  # refuses parts with different knots

    def forward(self, r: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        total = torch.zeros([self.npairs, r.shape[0]], dtype=torch.float64, device=r.device)
        for part in self.parts:
            total = total + part(r)
        return total

    def exact_coefficients(self, grid: TableGrid, parameters: tuple[float, ...]) -> Tensor | None:
        if self.own_grid() is None:
            return None
        return torch.stack([tabulate_learned(part, grid) for part in self.parts]).sum(0)  # type: ignore[arg-type]

    def own_grid(self) -> TableGrid | None:
        return _common_grid(list(self.parts))  # type: ignore[arg-type]


class TemperatureDependent(PairPotential):
    """u(r, T) = U(r) - (T - T0) S(r): a free energy whose entropy S does not depend on temperature.

    The one global parameter is the temperature in K. `energy` is U, the potential at the reference temperature T0, and
    `entropy` is T0 S, an ordinary potential in kJ/mol: numbers of the same size. Around T0, not around absolute zero as
    in U' - T S (U' = U + T0 S): there the temperatures of a fit can tell the two apart.
    """

    def __init__(self, energy: PairPotential, entropy: PairPotential, reference: float) -> None:
        _check_parts([energy, entropy], "U - T S")
        width = max(energy.switch_width, entropy.switch_width)
        super().__init__(energy.types, energy.cutoff, width, energy.learned)
        if not reference > 0:
            raise DiffPairError(f"the reference temperature must be positive, not {reference:g} K")
        self.energy = energy
        self.entropy = entropy
        self.reference = float(reference)
        self.global_names = ["temperature"]

    def forward(self, r: Tensor, temperature: Tensor) -> Tensor:
        """u [npairs, n] in kJ/mol at r [n] in nm and the temperature in K."""
        return self.energy(r) - (temperature / self.reference - 1) * self.entropy(r)

    def exact_coefficients(self, grid: TableGrid, parameters: tuple[float, ...]) -> Tensor | None:
        if self.own_grid() is None:
            return None
        factor = parameters[0] / self.reference - 1
        return tabulate_learned(self.energy, grid) - factor * tabulate_learned(self.entropy, grid)

    def own_grid(self) -> TableGrid | None:
        return _common_grid([self.energy, self.entropy])

    def reference_temperature(self) -> float | None:
        return self.reference


class AllPairs(nn.Module):
    """A potential that depends on temperature with the rows of all pairs of types, as TorchPairForce wants them."""

    def __init__(self, potential: TemperatureDependent) -> None:
        super().__init__()
        self.potential = potential
        self.count = potential.all_pairs
        self.rows: Tensor
        self.register_buffer("rows", torch.tensor(potential.learned))

    def forward(self, r: Tensor, temperature: Tensor) -> Tensor:
        """u [all_pairs, n] in kJ/mol at r [n] in nm and the temperature in K; 0 for pairs that are not learned."""
        energy = self.potential(r, temperature)
        none = torch.zeros([self.count, r.shape[0]], dtype=energy.dtype, device=r.device)
        return none.index_copy(0, self.rows, energy)
