"""From a potential to its table, and back through it by autograd."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import diffpair.ops  # noqa: F401  registers torch.ops.diffpair
from diffpair.errors import DiffPairError
from diffpair.potentials.base import PairPotential, TableGrid
from diffpair.tables import PairTable, type_pairs

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
    return energy * torch.ops.diffpair.switching(r, potential.cutoff, potential.switch_width)


def tabulate(
    potential: PairPotential, grid: TableGrid | tuple[float, float, int], parameters: tuple[float, ...] = ()
) -> Tensor:
    """Table coefficients [all_pairs, knots + 2] of a potential in kJ/mol, float64, differentiable in its parameters.

    Pairs of types that are not learned have 0. See `tabulate_learned` for the others and for errors.
    """
    return potential.of_all_pairs(tabulate_learned(potential, grid, parameters))


def tabulate_learned(
    potential: PairPotential, grid: TableGrid | tuple[float, float, int], parameters: tuple[float, ...] = ()
) -> Tensor:
    """The rows [npairs, knots + 2] of the pairs that are learned.

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


def tabulation_error(
    potential: PairPotential, grid: TableGrid, kT: float, parameters: tuple[float, ...] = (), above: float = 0.0
) -> float:
    """Largest |dF| / max(F0, |F|) at the midpoints between knots where U < 20 kT and r > above; F0 = 10 kT / cutoff.

    F is the derivative that autograd gives. Next to r_min a table is as stiff as its natural end makes it: where U is
    below 20 kT even there, `above` is the distance, nm, from which on particles are met.
    """
    if potential.exact_coefficients(grid, parameters) is not None:
        return 0.0
    nodes = grid.nodes()
    middle = (0.5 * (nodes[1:] + nodes[:-1])).requires_grad_()
    energy = switched_energy(potential, middle, parameters)
    slopes = torch.stack([torch.autograd.grad(row.sum(), middle, retain_graph=True)[0] for row in energy])
    table = to_table(potential, grid, parameters)
    r, energies, exact = middle.detach().numpy(), energy.detach().numpy(), -slopes.numpy()
    pairs = type_pairs(potential.types)
    forces = np.stack([table.force(r, *pairs[row]) for row in potential.learned])
    error = np.abs(forces - exact) / np.maximum(np.abs(exact), 10 * kT / grid.cutoff)
    return float(error[(energies < CHECKED_UP_TO * kT) & (r > above)].max(initial=0.0))


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
    above: float = 0.0,
) -> Refined:
    """Double the intervals from `knots` on until the table's force is within `tolerance` of the potential's, or say
    it is not.

    Args:
        parameters: the sets of global parameters that the grid must serve.
        tolerance: of tabulation_error. above: see there.
    """
    own = potential.own_grid()
    while True:
        refined = judge(potential, own or TableGrid(r_min, potential.cutoff, knots), kT, parameters, tolerance, above)
        if refined.converged or 2 * knots - 1 > MAX_KNOTS:
            return refined
        knots = 2 * knots - 1


def judge(
    potential: PairPotential,
    grid: TableGrid,
    kT: float,
    parameters: tuple[tuple[float, ...], ...] = ((),),
    tolerance: float = 1e-3,
    above: float = 0.0,
) -> Refined:
    """How well a grid holds the potential; a spline's own grid always does. Arguments: see refine."""
    error = max(tabulation_error(potential, grid, kT, p, above) for p in parameters)
    return Refined(grid, error, error <= tolerance)


def to_table(
    potential: PairPotential, grid: TableGrid | tuple[float, float, int], parameters: tuple[float, ...] = ()
) -> PairTable:
    """The potential's table as the object that production, files and reports use."""
    grid = TableGrid(*grid)
    with torch.no_grad():
        coefficients = tabulate(potential, grid, parameters).clone()
        entropy = None
        if (reference := potential.reference_temperature()) is not None:
            other = tabulate(potential, grid, (parameters[0] + reference,))
            entropy = (coefficients - other) / reference  # the table is linear in the temperature
            entropy[:, -3:] = 0.0
    coefficients[:, -3:] = 0.0
    return PairTable(
        types=potential.types,
        r_min=grid.r_min,
        cutoff=grid.cutoff,
        coefficients=coefficients.numpy(),
        global_parameters=dict(zip(potential.global_names, map(float, parameters), strict=True)),
        entropy=None if entropy is None else entropy.numpy(),
    )
