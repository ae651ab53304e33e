"""Vector-Jacobian products of segments: many backward passes of one recorded forward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.engines.frames import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients.adjoint import DiscreteAdjoint, growth_of
from diffpair.gradients.target_rows import TargetRows
from diffpair.potentials.base import TableGrid
from diffpair.settings.gradient import BATCHES

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SegmentProducts:
    """J^T w of several vectors w, J = d<A>/dc as the segments see it.

    products: per batch of segments [BATCHES, K, npairs * (knots + 2)], batches of equal weight. growth: of the adjoint
    on its way back, per segment. dropped: number of segments left out because theirs was above the limit.
    """

    products: Array
    growth: Array
    dropped: int


def segment_products(
    method: DiscreteAdjoint, rows: TargetRows, coefficients: Tensor, grid: TableGrid, frames: Frames, vectors: Array,
    draw: int = 0,
) -> SegmentProducts:  # fmt: skip
    """J^T w of all vectors w [K, rows]; every one of them is a backward pass through all segments.

    The segments are recorded once, batch by batch. The first vector's adjoint tells which of them are chaos (see
    DiscreteAdjoint) and are left out of all products.

    Raises:
        Chaos: half of a batch's segments or more are above the limit, or a product is not finite.
        DiffPairError: fewer segments or frames than batches.
    """
    method.check(rows)
    chosen = method.choose(frames)
    if len(chosen) < BATCHES:
        raise DiffPairError(
            f"the Jacobian of segments needs {BATCHES} or more of them, each from a frame of its own, to know its "
            f"noise, but state {rows.state.name!r} has {len(chosen)}"
        )
    products, growths, dropped = [], [], 0
    for number, batch in enumerate(np.array_split(chosen, BATCHES)):
        start, path, c, boxes = method.record(rows, coefficients, grid, frames, batch, BATCHES * draw + number)
        x, v = (part.detach().requires_grad_() for part in path)
        direct = c.detach().requires_grad_()
        values = rows.of_segment(x, v, boxes, direct, grid)  # [R, rows]
        calm = np.full(len(batch), True)
        found = []
        for number_of_vector, vector in enumerate(torch.from_numpy(vectors)):
            for again in (False, True):
                loss = (values @ vector)[torch.from_numpy(calm)].mean()
                *sides, explicit = torch.autograd.grad(loss, (x, v, direct), retain_graph=True, allow_unused=True)
                used = [k for k, side in enumerate(sides) if side is not None]
                into = [sides[k] for k in used]
                back, gradient = torch.autograd.grad([path[k] for k in used], (start, c), into, retain_graph=True)
                if number_of_vector or again:
                    break
                growth = growth_of(back, into[0])
                growths.append(growth)
                calm = method.calm(rows, growth)
                if calm.all():
                    break
            found.append((gradient if explicit is None else gradient + explicit).flatten().numpy())
        dropped += int(np.count_nonzero(~calm))
        products.append(np.array(found))
    result = np.array(products)
    growth = np.concatenate(growths)
    if not np.isfinite(result).all():
        raise method.chaos(rows, growth)
    return SegmentProducts(result, growth, dropped)


def smooth_vectors(rows: TargetRows, modes: int) -> Array:
    """Orthonormal vectors [K, rows] that hold what is smooth: the first cosines (DCT-II) of every RDF, at most `modes`
    of each; the rows of other kinds one by one.

    A change of U changes g smoothly: in a liquid nothing is narrower than its first peak. The cosine j has half a
    wavelength of range / j.
    """
    count = len(rows)
    vectors = []
    for where in rows.rdf.slices:
        size = where.stop - where.start
        part = np.zeros((min(modes, size), count))
        part[:, where] = scipy.fft.dct(np.eye(size), axis=0, norm="ortho")[:modes]
        vectors.append(part)
    return np.concatenate([*vectors, np.eye(count)[len(rows.rdf) :]])
