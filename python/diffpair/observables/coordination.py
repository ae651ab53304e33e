"""Coordination numbers from the sums that also make the RDF."""

from __future__ import annotations

import torch
from torch import Tensor

import diffpair.ops  # noqa: F401  (registers the operators)
from diffpair.errors import DiffPairError
from diffpair.segments import Topology

_KNOTS_BELOW = 4  # of the grid, below the first radius: what is closer still counts fully


def coordination_numbers(
    x: Tensor, boxes: Tensor, topology: Topology, radius: float, width: float, num_radii: int = 1
) -> Tensor:
    """Mean number of atoms of type b around an atom of type a, within each of the radii; n(r) if there are many.

    A neighbour at distance r counts s(r): 1 up to R - width/2, 1/2 at R, 0 from R + width/2 on. s is the unit step at R
    smeared by the quadratic B-spline of that support, so it is twice continuously differentiable; with width -> 0 it is
    plain counting. Radii are spaced by width/3: there s(r) is a partial sum of the cubic B-splines of the smooth RDF,
    and n is its running sum. Excluded pairs do not count.

    Args:
        x: positions, nm, [M, N, 3], float32 or float64.
        boxes: nm, [M, 3, 3] in reduced form, float64; zeros for no periodicity.
        topology: types and exclusions.
        radius: R of the first number, nm.
        width: distance over which a neighbour fades, nm.
        num_radii: number of radii; further ones follow at R + k width/3.

    Returns:
        [M, T, T, num_radii]: row a is the type in the middle; nan for one without atoms. float64, differentiable in x.

    Raises:
        DiffPairError: a radius, width or number that is not positive.
        RuntimeError: the last radius plus width/2 is beyond half a box.

    Examples:
        >>> import torch
        >>> from diffpair.observables.coordination import coordination_numbers
        >>> from diffpair.segments import Topology
        >>> x = torch.cartesian_prod(*[torch.arange(4.0)] * 3)[None]  # a cubic lattice, nm
        >>> boxes = 4 * torch.eye(3, dtype=torch.float64)[None]
        >>> topology = Topology.of([0] * 64, 1)
        >>> n = coordination_numbers(x, boxes, topology, radius=1.2, width=0.1)
        >>> round(float(n[0, 0, 0, 0]), 6)
        6.0
    """
    if not (radius > 0 and width > 0 and num_radii >= 1):
        raise DiffPairError(
            f"coordination numbers need a positive radius, width and number of radii, not {radius} nm, {width} nm and "
            f"{num_radii}"
        )
    spacing = width / 3
    # Sums number _KNOTS_BELOW - 1 and up are centred at R_k - spacing/2; those from the last radius's on stay out.
    knots = num_radii + _KNOTS_BELOW
    low = radius - (_KNOTS_BELOW - 1.5) * spacing
    sums = torch.ops.diffpair.spline_sums(
        x, boxes, topology.types, topology.exclusions, topology.num_types, low, low + (knots - 1) * spacing, knots
    )
    pairs = sums.cumsum(-1)[..., _KNOTS_BELOW - 1 : -3]
    types = topology.num_types
    a, b = torch.triu_indices(types, types)
    around = pairs.new_zeros(x.shape[0], types, types, num_radii)
    around = around.index_put((torch.arange(x.shape[0])[:, None], a, b), pairs)
    around = around + around.transpose(1, 2)  # a pair is seen from both its atoms
    return around / torch.bincount(topology.types, minlength=types)[None, :, None, None]
