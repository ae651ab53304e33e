"""The RDF as a differentiable function of positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

import diffpair.ops  # noqa: F401  (registers the operators)
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.segments import SumsGrid, Topology, run_segment_sums

# A cubic B-spline of one bin's width reaches two bins to each side; one further coefficient pads the spline's end.
_PADDING = 3


def smooth_shell_volumes(centres: np.ndarray, bin_width: float) -> np.ndarray:
    """Integral of the kernel over space, 4 pi D (r^2 + D^2 / 3).

    The cubic B-spline has the variance D^2 / 3, so an ideal gas has g = 1 exactly wherever the kernel does not reach
    r = 0.

    Args:
        centres: r of the bins, nm, [B].
        bin_width: D, nm.

    Returns:
        nm^3, [B].
    """
    return 4 * np.pi * bin_width * (centres**2 + bin_width**2 / 3)


class SmoothRdf:
    """g(r) of all pairs of types on even bins, each pair smeared by the cubic B-spline kernel of one bin's width.

    The normalisation is absolute: pairs over those of an ideal gas of the same density, N_a (N_a - 1) / 2 like and
    N_a N_b unlike ones. Excluded pairs leave both counts, as in `histogram_rdf`, so g tends to 1. Pairs up to two bins
    outside the window count with their part of the kernel, so none is dropped abruptly at an edge.

    Args:
        first_centre: centre of the first bin, nm.
        bin_width: D, nm.
        num_bins: B, number of bins.
        topology: types and exclusions.

    Attributes:
        centres: of the bins, nm, [B].

    Examples:
        >>> import torch
        >>> from diffpair.observables.smooth_rdf import SmoothRdf
        >>> from diffpair.segments import Topology
        >>> rdf = SmoothRdf(0.5, 0.1, 12, Topology.of([0] * 100, 1))
        >>> boxes = 4 * torch.eye(3, dtype=torch.float64).expand(10, 3, 3)
        >>> gas = (4 * torch.rand(10, 100, 3, dtype=torch.float64)).requires_grad_()
        >>> g = rdf.g(gas, boxes)
        >>> g.shape, torch.autograd.grad(g.sum(), gas)[0].shape
        (torch.Size([10, 1, 12]), torch.Size([10, 100, 3]))
    """

    def __init__(self, first_centre: float, bin_width: float, num_bins: int, topology: Topology) -> None:
        self.bin_width = bin_width
        self.centres = first_centre + bin_width * np.arange(num_bins)
        self.topology = topology
        self._low = first_centre - (_PADDING - 1) * bin_width
        self._high = self.centres[-1] + (_PADDING - 1) * bin_width
        self._knots = num_bins + 2 * _PADDING - 2
        numbers = interacting_pairs(topology.types.numpy(), topology.num_types, topology.exclusions.numpy())
        numbers = numbers[np.triu_indices(topology.num_types)]
        ideal = np.outer(np.maximum(numbers, 1), smooth_shell_volumes(self.centres, bin_width))
        self._per_ideal_pair = torch.from_numpy(1 / ideal)

    @property
    def reach(self) -> float:
        """Largest distance that counts, in nm: the last centre and two bins."""
        return float(self._high)

    @property
    def grid(self) -> SumsGrid:
        """Of the spline sums that g is made of, padding included."""
        return SumsGrid(float(self._low), self.reach, self._knots)

    def counts(self, x: Tensor, boxes: Tensor) -> Tensor:
        """Smeared numbers of pairs of every frame.

        Args:
            x: positions, nm, [M, N, 3], float32 or float64.
            boxes: nm, [M, 3, 3] in reduced form, float64.

        Returns:
            [M, P, B], float64, differentiable in x.

        Raises:
            RuntimeError: `reach` beyond half a box.
        """
        sums = torch.ops.diffpair.spline_sums(
            x, boxes, self.topology.types, self.topology.exclusions, self.topology.num_types, *self.grid
        )
        return sums[..., _PADDING:-_PADDING]

    def g(self, x: Tensor, boxes: Tensor) -> Tensor:
        """g(r) of every frame.

        Args:
            x: positions, nm, [M, N, 3], float32 or float64.
            boxes: nm, [M, 3, 3] in reduced form, float64.

        Returns:
            [M, P, B], float64, on the device of the boxes, differentiable in x.

        Raises:
            RuntimeError: `reach` beyond half a box.
        """
        return self._normalised(self.counts(x, boxes), torch.linalg.det(boxes))

    def of_sums(self, sums: Tensor, boxes: Tensor) -> Tensor:
        """g(r) of every frame from its spline sums.

        Args:
            sums: on `grid`, [M, P, knots + 2].
            boxes: nm, [M, 3, 3].

        Returns:
            [M, P, B].
        """
        return self._normalised(sums[..., _PADDING:-_PADDING], torch.linalg.det(boxes))

    def along_segment(
        self, x0: Tensor, v0: Tensor, coefficients: Tensor, *, boxes: Tensor, **segment: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run a segment and take g(r) on the way, where the neighbour lists are: faster than g of its frames.

        Args:
            x0: start positions, nm, [R, N, 3].
            v0: start velocities, nm/ps, [R, N, 3].
            coefficients: table, kJ/mol, [P, knots + 2], float64.
            boxes: nm, [R, 3, 3] in reduced form, float64.
            **segment: the other arguments of `diffpair.segments.run_segment`, without the topology.

        Returns:
            Positions in nm and velocities in nm/ps, [R, F, N, 3], and g, [R, F, P, B], differentiable in all that the
            segment is.
        """
        x, v, sums = run_segment_sums(x0, v0, coefficients, self.grid, topology=self.topology, boxes=boxes, **segment)
        return x, v, self._normalised(sums[..., _PADDING:-_PADDING], torch.linalg.det(boxes)[:, None])

    def _normalised(self, counts: Tensor, volume: Tensor) -> Tensor:
        """On the device of the volume, wherever the counts come from."""
        return counts.to(volume.device) * self._per_ideal_pair.to(volume.device) * volume[..., None, None]
