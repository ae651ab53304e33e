"""What a sampling leaves behind: the sums of every frame, and a few frames whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from diffpair.engines import Frames
from diffpair.engines.phases import FRAMES
from diffpair.gradients import FrameSums

Array = NDArray[np.float64]
_NOTHING = np.zeros((0, 0))


@dataclass(frozen=True)
class Sample:
    """A sampling of F frames. What grows with F is a few hundred numbers per frame, whatever the number of particles.

    sums: A and S of every frame. potential_energy: [F] in kJ/mol. kept: some of the frames whole, each by itself, for
    segments to start from and for the look at the phase, in order and spread evenly. indices: which ones, [K].
    response, measured: what molecules tell of their bonded terms (see MolecularResponse), its sum over so many frames.
    """

    sums: FrameSums
    potential_energy: Array
    kept: tuple[Frames, ...]
    indices: NDArray[np.intp]
    response: Array = field(default_factory=lambda: _NOTHING)
    measured: int = 0

    def __len__(self) -> int:
        return len(self.potential_energy)

    def since(self, first: int) -> Sample:
        """Without what precedes the frame `first`."""
        left_out = int(np.searchsorted(self.indices, first))
        sums = self.sums.drawn(np.arange(first, len(self)))
        return replace(
            self,
            sums=sums,
            potential_energy=self.potential_energy[first:],
            kept=self.kept[left_out:],
            indices=self.indices[left_out:] - first,
        )

    def joined(self, later: Sample) -> Sample:
        """This one and then one with the same table."""
        return Sample(
            FrameSums.joined([self.sums, later.sums]),
            np.concatenate([self.potential_energy, later.potential_energy]),
            self.kept + later.kept,
            np.concatenate([self.indices, len(self) + later.indices]),
            self.response + later.response,
            self.measured + later.measured,
        )

    def whole(self, count: int) -> Frames:
        """So many of the frames that are kept, see `whole`."""
        return whole(self.kept, count)


def whole(kept: Sequence[Frames], count: int) -> Frames:
    """So many of these, or all that there are, spread evenly, first and last among them; one at least."""
    last = len(kept) - 1
    chosen = np.unique(np.linspace(0, last, min(max(count, 1), last + 1)).round().astype(int))
    return Frames.joined([kept[k] for k in chosen])


def spread(count: int, starts: int) -> NDArray[np.intp]:
    """Which of `count` frames, one or more, are kept whole: every so many and the last one.

    As many as segments (`starts`) and the look at the phase want, or up to twice that number. So half of it is left
    where a second sampling follows and three quarters of both are dropped, the most that `equilibrated_from` drops.
    """
    stride = -(-count // (2 * max(starts, FRAMES)))
    return np.union1d(np.arange(0, count, stride), [count - 1])
