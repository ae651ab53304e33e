"""From a potential to its table, and back through it by autograd."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

import diffpair.ops  # noqa: F401  registers torch.ops.diffpair
from diffpair.errors import DiffPairError
from diffpair.potentials.base import PairPotential, TableGrid
from diffpair.tables import PairTable

CHECKED_UP_TO = 20.0  # kT: where U is higher, particles hardly ever are
MAX_KNOTS = 3000


def _scalars(parameters: tuple[float, ...]) -> list[Tensor]:
    return [torch.tensor(float(p), dtype=torch.float64) for p in parameters]


def switched_energy(potential: PairPotential, r: Tensor, parameters: tuple[float, ...]) -> Tensor:
    """U times its switching function, [npairs, n] in kJ/mol at r [n] in nm: what a table interpolates."""
    if len(parameters) != len(potential.global_names):
        raise DiffPairError(
            f"the potential has {len(potential.global_names)} global parameters ({', '.join(potential.global_names)}), "
            f"but {len(parameters)} values are given"
        )
    energy = potential(r, *_scalars(parameters)).double()
    if energy.shape != (potential.npairs, len(r)):
        raise DiffPairError(
            f"the potential {type(potential).__name__} returns the shape {list(energy.shape)} for {len(r)} distances, "
            f"but it must be {[potential.npairs, len(r)]}"
        )
    return energy * switching(r, potential.cutoff, potential.switch_width)


def switching(r: Tensor, cutoff: float, width: float) -> Tensor:
    """The table's switching function at r [n]; differentiable, equal to torch.ops.diffpair.switching."""
    if width == 0:
        return (r < cutoff).double()
    x = ((r - (cutoff - width)) / width).clamp(0, 1)
    return 1 - x**3 * (10 - x * (15 - 6 * x))


def tabulate(
    potential: PairPotential, grid: TableGrid | tuple[float, float, int], parameters: tuple[float, ...] = ()
) -> Tensor:
    """Table coefficients [npairs, knots + 2] of a potential in kJ/mol, float64, differentiable in its parameters.

    A spline gives its own coefficients. Every other form is evaluated on the knots, multiplied by its switching
    function and interpolated (natural end at r_min, three zero coefficients at the cutoff).

    Raises DiffPairError if a value is not finite or the grid does not fit the potential.
    """
    grid = TableGrid(*grid)
    if abs(grid.cutoff - potential.cutoff) > 1e-9:
        raise DiffPairError(f"the table's cutoff is {grid.cutoff:g} nm, the potential's {potential.cutoff:g} nm")
    coefficients = potential.exact_coefficients(grid, parameters)
    if coefficients is None:
        values = switched_energy(potential, grid.nodes(), parameters)
        bad = torch.nonzero(~torch.isfinite(values))
        if len(bad):
            pair, node = (int(i) for i in bad[0])
            raise DiffPairError(
                f"the potential {type(potential).__name__} is {values[pair, node].item()} at "
                f"r = {grid.nodes()[node].item():.4g} nm"
            )
        coefficients = torch.ops.diffpair.interpolate_table(values.contiguous(), grid.r_min, grid.cutoff)
    return coefficients


def spline_energy_and_slope(coefficients: Tensor, grid: TableGrid, r: Tensor) -> tuple[Tensor, Tensor]:
    """U and dU/dr [npairs, n] of a table at r [n] with r_min <= r < cutoff."""
    s = (r - grid.r_min) / grid.spacing
    p = s.floor().clamp(0, grid.knots - 2).long()
    t = s - p
    u = 1 - t
    c0, c1, c2, c3 = (coefficients[:, p + k] for k in range(4))
    energy = (c0 * u**3 + c1 * (3 * t**3 - 6 * t**2 + 4) + c2 * (3 * u**3 - 6 * u**2 + 4) + c3 * t**3) / 6
    slope = (-c0 * u**2 + c1 * (3 * t**2 - 4 * t) - c2 * (3 * u**2 - 4 * u) + c3 * t**2) / (2 * grid.spacing)
    return energy, slope


def tabulation_error(potential: PairPotential, grid: TableGrid, kT: float, parameters: tuple[float, ...] = ()) -> float:
    """Largest |dF| / max(F0, |F|) at the midpoints between knots where U < 20 kT; F0 = 10 kT / cutoff.

    F is the derivative that autograd gives.
    """
    if potential.exact_coefficients(grid, parameters) is not None:
        return 0.0
    nodes = grid.nodes()
    middle = (0.5 * (nodes[1:] + nodes[:-1])).requires_grad_()
    energy = switched_energy(potential, middle, parameters)
    slopes = torch.stack([torch.autograd.grad(row.sum(), middle, retain_graph=True)[0] for row in energy])
    with torch.no_grad():
        _, table_slopes = spline_energy_and_slope(tabulate(potential, grid, parameters), grid, middle)
        floor = 10 * kT / grid.cutoff
        error = (table_slopes - slopes).abs() / slopes.abs().clamp(min=floor)
        return float(error[energy < CHECKED_UP_TO * kT].max()) if bool((energy < CHECKED_UP_TO * kT).any()) else 0.0


@dataclass(frozen=True)
class Refined:
    """A grid, how well it represents the potential, and whether that is within the tolerance."""

    grid: TableGrid
    error: float
    converged: bool


def refine(
    potential: PairPotential,
    r_min: float,
    knots: int,
    kT: float,
    parameters: tuple[tuple[float, ...], ...] = ((),),
    tolerance: float = 1e-3,
) -> Refined:
    """Double the intervals from `knots` on until the table's force is within `tolerance` of the potential's, or say
    it is not.

    Args:
        parameters: the sets of global parameters that the grid must serve.
        tolerance: of tabulation_error.
    """
    own = potential.own_grid()
    if own is not None:
        return Refined(own, max(tabulation_error(potential, own, kT, p) for p in parameters), True)
    while True:
        grid = TableGrid(r_min, potential.cutoff, knots)
        error = max(tabulation_error(potential, grid, kT, p) for p in parameters)
        if error <= tolerance:
            return Refined(grid, error, True)
        if 2 * knots - 1 > MAX_KNOTS:
            return Refined(grid, error, False)
        knots = 2 * knots - 1


def to_table(
    potential: PairPotential, grid: TableGrid | tuple[float, float, int], parameters: tuple[float, ...] = ()
) -> PairTable:
    """The potential's table as the object that production, files and reports use."""
    grid = TableGrid(*grid)
    with torch.no_grad():
        coefficients = tabulate(potential, grid, parameters).clone()
    coefficients[:, -3:] = 0.0
    return PairTable(
        types=potential.types,
        r_min=grid.r_min,
        cutoff=grid.cutoff,
        coefficients=coefficients.numpy(),
        global_parameters=dict(zip(potential.global_names, map(float, parameters), strict=True)),
    )
