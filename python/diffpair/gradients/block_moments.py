"""What a bootstrap over blocks needs of a sampling: moments of its blocks, whose size is that of a Jacobian, however
many frames there were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.statistics import BLOCKS
from diffpair.gradients.fluctuation import Fluctuation
from diffpair.gradients.frame_sums import FrameSums

Array = NDArray[np.float64]


def blocks_of(frames: int) -> list[NDArray[np.intp]]:
    """The frames of each of BLOCKS blocks, fewer where there are fewer frames."""
    return np.array_split(np.arange(frames), min(BLOCKS, frames))


@dataclass(frozen=True)
class BlockMoments:
    """Means and covariances of A and S in each of B blocks of frames, see FrameSums.

    counts: frames [B]. observables: <A> [B, rows]. splines: <S> [B, npairs * (knots + 2)]. products: sums over the
    block's frames of (A - <A>) (S - <S>), [B, rows, npairs * (knots + 2)]. explicit: row -> <dA/dc> [B, npairs * (knots
    + 2)].
    """

    counts: Array
    observables: Array
    splines: Array
    products: Array
    explicit: dict[int, Array]

    @classmethod
    def of(cls, sums: FrameSums) -> BlockMoments:
        """Of the blocks that `blocks_of` makes of all frames."""
        blocks = [sums.drawn(frames) for frames in blocks_of(len(sums.observables))]
        products = [(b.observables - b.mean).T @ (b.splines - b.splines.mean(0)) for b in blocks]
        explicit = {row: np.array([b.explicit[row].mean(0) for b in blocks]) for row in sums.explicit}
        return cls(
            np.array([float(len(b.observables)) for b in blocks]), np.array([b.mean for b in blocks]),
            np.array([b.splines.mean(0) for b in blocks]), np.array(products), explicit,
        )  # fmt: skip

    def drawn(self, blocks: NDArray[np.intp], beta: float) -> tuple[Array, Array]:
        """<A> [rows] and the fluctuation Jacobian [rows, npairs * (knots + 2)] of some of the blocks, any of them as
        often as it is named: two frames or more."""
        times = np.bincount(blocks, minlength=len(self.counts)) * self.counts
        total = times.sum()
        mean, splines = times @ self.observables / total, times @ self.splines / total
        between = (times[:, None] * (self.observables - mean)).T @ (self.splines - splines)
        within = np.tensordot(times / self.counts, self.products, 1)
        jacobian = -beta / (total - 1) * (within + between)
        for row, slopes in self.explicit.items():
            jacobian[row] += times @ slopes / total
        return mean, jacobian


@dataclass(frozen=True)
class AllFrames:
    """The same of a sampling that is shorter than its moments would be."""

    sums: FrameSums

    @property
    def counts(self) -> Array:
        """See BlockMoments."""
        return np.array([float(len(frames)) for frames in blocks_of(len(self.sums.observables))])

    def drawn(self, blocks: NDArray[np.intp], beta: float) -> tuple[Array, Array]:
        """See BlockMoments."""
        frames = blocks_of(len(self.sums.observables))
        again = self.sums.drawn(np.concatenate([frames[k] for k in blocks]))
        return again.mean, Fluctuation().jacobian(again, beta)


Blocks = BlockMoments | AllFrames


def blocks_from(content: dict[str, Any]) -> Blocks:
    """From the fields of one, as a checkpoint holds them."""
    return AllFrames(FrameSums(**content["sums"])) if "sums" in content else BlockMoments(**content)


def remembered(sums: FrameSums) -> Blocks:
    """Whichever is smaller."""
    (frames, rows), width = sums.observables.shape, sums.splines.shape[1]
    of_moments = min(BLOCKS, frames) * (rows + width + rows * width)
    return BlockMoments.of(sums) if of_moments < frames * (rows + width) else AllFrames(sums)
