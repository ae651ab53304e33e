"""The distribution of the angles between neighbours, as a differentiable function of positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

import diffpair.ops  # noqa: F401  (registers the operators)
from diffpair.errors import DiffPairError
from diffpair.pair_geometry import minimum_image
from diffpair.segments import Topology

_ANGLES_PER_BLOCK = 2**17  # bounds the memory: about 100 MB while a block is differentiated


class _SumOverBlocks(torch.autograd.Function):
    """Sum of function(x, *block) over blocks; the backward keeps x alone and recomputes one block after another.

    What `torch.utils.checkpoint` is for, without the seconds that its import of the compiler takes.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable[..., Tensor], blocks: list[tuple[Tensor, ...]]) -> Tensor:
        ctx.function, ctx.blocks = function, blocks
        ctx.save_for_backward(x)
        return torch.stack([function(x, *block) for block in blocks]).sum(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        x = ctx.saved_tensors[0].detach().requires_grad_()
        total = torch.zeros_like(x)
        for block in ctx.blocks:
            with torch.enable_grad():
                value = ctx.function(x, *block)
            total += torch.autograd.grad(value, x, grad)[0]
        return total, None, None


class AngleDistribution:
    """How often the directions from an atom to two of its neighbours enclose an angle, over cos(theta) from -1 to 1.

    Every pair of neighbours j, k of an atom i counts s(r_ij) s(r_ik), s being the switching function of `Table.h`: 1
    up to cutoff - width, 0 from the cutoff on. Each angle is smeared by a cubic B-spline of one bin's width, reflected
    at -1 and 1, so nothing is lost there; with small bins and width -> 0 this is the plain histogram. Neighbours in
    random directions give a flat density of 1/2, and p(theta) = p(cos theta) sin(theta). There are no bins in theta
    itself because theta has no gradient at 0 and pi.

    Args:
        cutoff: up to where an atom is a neighbour, nm.
        width: of the switch at its end, nm; 0 is a step, whose gradient lacks the neighbours that come and go.
        num_bins: B, number of bins in cos(theta), 4 or more.
        topology: types; excluded pairs are not neighbours.
        centre: type of the atom in the middle; None: any.
        ends: types of the two neighbours, in any order; None: any.

    Attributes:
        cosines: centres of the bins, [B].

    Raises:
        DiffPairError: a number or type out of range.
    """

    def __init__(
        self, cutoff: float, width: float, num_bins: int, topology: Topology, *, centre: int | None = None,
        ends: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        if not (0 <= width <= cutoff and cutoff > 0 and num_bins >= 4):
            raise DiffPairError(
                f"an angle distribution needs 0 <= width <= cutoff and 4 bins or more, not a width of {width} nm, a "
                f"cutoff of {cutoff} nm and {num_bins} bins"
            )
        for kind in (*(() if centre is None else (centre,)), *(ends or ())):
            if not 0 <= kind < topology.num_types:
                raise DiffPairError(
                    f"the angle distribution names type {kind}, but types run from 0 to {topology.num_types - 1}"
                )
        self.cutoff, self.width, self.num_bins = cutoff, width, num_bins
        self.topology, self.centre, self.ends = topology, centre, ends
        self.bin_width = 2 / num_bins
        self.cosines = self.bin_width * (torch.arange(num_bins, dtype=torch.float64) + 0.5) - 1

    def counts(self, x: Tensor, boxes: Tensor) -> Tensor:
        """Smeared, weighted numbers of angles of every frame.

        Works through blocks of atoms and recomputes them in the backward: the memory does not grow with the number of
        angles.

        Args:
            x: positions, nm, [M, N, 3], float32 or float64.
            boxes: nm, [M, 3, 3] in reduced form; zeros for no periodicity.

        Returns:
            [M, B], float64, differentiable in x.

        Raises:
            DiffPairError: shapes that do not fit.
            RuntimeError: a cutoff beyond half a box.
        """
        frames, atoms = boxes.shape[0], self.topology.num_atoms
        if x.shape != (frames, atoms, 3) or boxes.shape != (frames, 3, 3):
            raise DiffPairError(
                f"angles of {atoms} atoms need positions [M, {atoms}, 3] and boxes [M, 3, 3], not {list(x.shape)} and "
                f"{list(boxes.shape)}"
            )
        counts = [self._of_frame(*frame) for frame in zip(x, boxes, strict=True)]
        return torch.stack(counts) if counts else torch.zeros((0, self.num_bins), dtype=torch.float64)

    def density(self, x: Tensor, boxes: Tensor) -> Tensor:
        """p(cos theta) of every frame, of integral 1; 0 in a frame without angles.

        Args:
            x: positions, nm, [M, N, 3], float32 or float64.
            boxes: nm, [M, 3, 3] in reduced form; zeros for no periodicity.

        Returns:
            [M, B], float64, differentiable in x.

        Raises:
            DiffPairError: shapes that do not fit.
            RuntimeError: a cutoff beyond half a box.
        """
        counts = self.counts(x, boxes)
        total = counts.sum(1, keepdim=True)
        return counts / (self.bin_width * torch.where(total > 0, total, 1.0))

    def _of_frame(self, x: Tensor, box: Tensor) -> Tensor:
        centres, table = self._neighbors(x.detach(), box)
        if not len(centres):
            return torch.zeros(self.num_bins, dtype=torch.float64)
        widest = table.shape[1]
        step = max(1, _ANGLES_PER_BLOCK // (widest * (widest - 1) // 2))
        blocks = [(box, c, t) for c, t in zip(centres.split(step), table.split(step), strict=True)]
        return _SumOverBlocks.apply(x, self._of_block, blocks)

    def _neighbors(self, x: Tensor, box: Tensor) -> tuple[Tensor, Tensor]:
        """Atoms with two neighbours or more [C], and their neighbours [C, widest], filled up with -1."""
        topology = self.topology
        pairs = torch.ops.diffpair.neighbor_pairs(x, box, topology.exclusions, self.cutoff)
        middle, other = torch.cat([pairs, pairs.flip(1)]).T
        keep = torch.ones_like(middle, dtype=torch.bool)
        if self.centre is not None:
            keep &= topology.types[middle] == self.centre
        if self.ends is not None:
            keep &= torch.isin(topology.types[other], torch.tensor(self.ends, dtype=torch.int32))
        middle, order = torch.sort(middle[keep], stable=True)
        count = torch.bincount(middle, minlength=len(x))
        place = torch.arange(len(middle)) - (count.cumsum(0) - count)[middle]
        table = torch.full((len(x), int(count.max()) if len(count) else 0), -1)
        table[middle, place] = other[keep][order]
        centres = torch.nonzero(count > 1)[:, 0]
        return centres, table[centres]

    def _of_block(self, x: Tensor, box: Tensor, centres: Tensor, table: Tensor) -> Tensor:
        separation = minimum_image(x[table.clamp(min=0)] - x[centres][:, None], box)
        # Places without a neighbour, and atoms on top of each other, have no direction: weight 0, and no nan anywhere.
        real = (table >= 0) & (separation.detach() != 0).any(-1)
        separation = torch.where(real[..., None], separation, separation.new_tensor([1.0, 0.0, 0.0]))
        r = separation.norm(dim=-1)
        near = torch.ops.diffpair.switching(r.flatten(), self.cutoff, self.width).view_as(r)
        near = torch.where(real, near, 0.0)
        unit = separation / r[..., None]

        atom, j, k = self._angles(table)
        weights = near[atom, j] * near[atom, k]
        return self._histogram((unit[atom, j] * unit[atom, k]).sum(-1), weights)

    def _angles(self, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Row of the table and the two places in it, j < k, of every angle that counts."""
        j, k = torch.triu_indices(table.shape[1], table.shape[1], 1)
        counts = table[:, k] >= 0  # rows are filled from the left
        if self.ends is not None:
            kinds = self.topology.types[table.clamp(min=0)]
            a, b = self.ends
            counts &= ((kinds[:, j] == a) & (kinds[:, k] == b)) | ((kinds[:, j] == b) & (kinds[:, k] == a))
        atom, which = torch.nonzero(counts, as_tuple=True)
        return atom, j[which], k[which]

    def _histogram(self, cosines: Tensor, weights: Tensor) -> Tensor:
        """Each value spread over four bins by the cubic B-spline, bins outside reflected into the range."""
        s = (cosines + 1) / self.bin_width - 0.5
        first = s.detach().floor()
        t = s - first
        u = 1 - t
        parts = torch.stack([u**3, 3 * t**3 - 6 * t**2 + 4, 3 * u**3 - 6 * u**2 + 4, t**3]) / 6
        bins = first.long() + torch.arange(-1, 3)[:, None]
        bins = torch.where(bins < 0, -1 - bins, bins)
        bins = torch.where(bins >= self.num_bins, 2 * self.num_bins - 1 - bins, bins)
        return torch.zeros(self.num_bins, dtype=torch.float64).index_add(0, bins.flatten(), (parts * weights).flatten())
