"""What a sampling leaves behind: the sums of every frame, and a few frames whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.engines import Frames
from diffpair.engines.phases import FRAMES
from diffpair.gradients import FrameSums

Array = NDArray[np.float64]
WHOLE = 1_000_000  # particles of all frames that are kept whole: 24 MB of positions, and as much of velocities


@dataclass(frozen=True)
class Sample:
    """A sampling of F frames. What grows with F is a few hundred numbers per frame, whatever the number of particles.

    sums: A and S of every frame. potential_energy: [F] in kJ/mol. kept: some of the frames whole, each by itself, for
    segments to start from and for the look at the phase, in order and spread evenly; all of them where they are small.
    indices: which ones, [K].
    """

    sums: FrameSums
    potential_energy: Array
    kept: tuple[Frames, ...]
    indices: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.potential_energy)

    def since(self, first: int) -> Sample:
        """Without what precedes the frame `first`."""
        left_out = int(np.searchsorted(self.indices, first))
        sums = self.sums.drawn(np.arange(first, len(self)))
        return Sample(sums, self.potential_energy[first:], self.kept[left_out:], self.indices[left_out:] - first)

    def joined(self, later: Sample) -> Sample:
        """This one and then one with the same table."""
        return Sample(
            FrameSums.joined([self.sums, later.sums]),
            np.concatenate([self.potential_energy, later.potential_energy]),
            self.kept + later.kept,
            np.concatenate([self.indices, len(self) + later.indices]),
        )

    def whole(self, count: int) -> Frames:
        """So many of the frames that are kept, or all that there are, spread evenly, first and last among them; one at
        least."""
        last = len(self.kept) - 1
        chosen = np.unique(np.linspace(0, last, min(max(count, 1), last + 1)).round().astype(int))
        return Frames.joined([self.kept[k] for k in chosen])


def spread(count: int, particles: int, starts: int) -> NDArray[np.intp]:
    """Which of `count` frames of so many particles, one or more, are kept whole.

    Where not all of them: every so many and the last one, as many as segments (`starts`) and the look at the phase
    want, or up to twice that number. So half of it is left where a second sampling follows and three quarters of both
    are dropped, the most that `equilibrated_from` drops.
    """
    most = max(WHOLE // max(1, particles), 2 * max(starts, FRAMES))
    stride = -(-count // most)
    return np.union1d(np.arange(0, count, stride), [count - 1])
