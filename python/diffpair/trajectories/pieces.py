"""Sums over the frames of a trajectory that is read in pieces, and the standard errors that blocks of them give."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Sums = Mapping[str, Array]

_MOST = 200  # pieces that are kept apart, so that a long trajectory does not fill the memory


class Pieces:
    """Sums of any arrays over frames, one piece after another.

    With more than 200 pieces neighbours are put together, and later pieces are made as long, so that blocks of them are
    even. Arrays of one name are cut to the shortest along their last axis: what a g(r) is to do in a box that shrinks.

    Attributes:
        frames: that were summed.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._pieces: list[tuple[int, Sums]] = []
        self._each, self._in_last = 1, 1  # sums in a piece, and in the last one

    def __len__(self) -> int:
        return len(self._pieces)

    def add(self, frames: int, sums: Sums) -> None:
        """Sums over so many further frames."""
        self.frames += frames
        if self._pieces and self._in_last < self._each:
            before, last = self._pieces.pop()
            self._pieces.append((before + frames, _added([last, sums])))
            self._in_last += 1
            return
        self._pieces.append((frames, sums))
        self._in_last = 1
        if len(self._pieces) > _MOST:
            pairs = [self._pieces[k : k + 2] for k in range(0, len(self._pieces), 2)]
            self._pieces = [(sum(n for n, _ in pair), _added([s for _, s in pair])) for pair in pairs]
            self._each *= 2  # the last one is alone, since _MOST is even, and goes on

    def total(self) -> Sums:
        """Sums over all frames."""
        return _added([sums for _, sums in self._pieces])

    def error(self, value: Callable[[Sums], Array], blocks: int) -> Array | None:
        """Standard error of a value that follows from sums over frames, from its scatter between blocks.

        Blocks are consecutive and of about equal numbers of frames. None where there are fewer pieces than blocks.
        """
        grouped: list[list[Sums]] = [[] for _ in range(blocks)]
        done = 0
        for frames, sums in self._pieces:
            grouped[min(blocks - 1, (done + frames // 2) * blocks // self.frames)].append(sums)
            done += frames
        if not all(grouped):
            return None
        values = [value(_added(group)) for group in grouped]
        length = min(np.shape(one)[-1] for one in values)
        return np.asarray(np.std([one[..., :length] for one in values], axis=0, ddof=1) / np.sqrt(blocks))


def _added(sums: list[Sums]) -> Sums:
    result = {}
    for name in sums[0]:
        length = min(one[name].shape[-1] for one in sums)
        result[name] = np.sum([one[name][..., :length] for one in sums], axis=0)
    return result
