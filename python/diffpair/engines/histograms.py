"""g(r) of production: plain counts of every frame, and how they compare with the targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.frames import Frames
from diffpair.engines.results import RdfResult
from diffpair.engines.series_error import series_error
from diffpair.engines.statistics import mean_absolute_noise
from diffpair.errors import DiffPairError
from diffpair.observables.pair_histogram import SLACK, PairCounts, count_types
from diffpair.states.state import State, half_of_smallest
from diffpair.targets import RdfTarget
from diffpair.targets.rdf_target import MIN_POINTS


class Histograms:
    """Counts of all targets of a state, frame by frame. Targets with the same bins are counted in one pass.

    bins: per target, how many of its bins lie within half of every box so far, all of them without a barostat.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.counts: list[list[NDArray[np.float64]]] = [[] for _ in state.rdfs]
        self.ideal: list[list[NDArray[np.float64]]] = [[] for _ in state.rdfs]
        self.shortest = self.half_box = np.inf
        self.bins = [len(target.r) for target in state.rdfs]
        self.groups: dict[bytes, list[int]] = {}
        for index, target in enumerate(state.rdfs):
            self.groups.setdefault(target.edges.tobytes(), []).append(index)

    def add(self, frames: Frames) -> None:
        if self.state.barostat is not None:
            self.cut(half_of_smallest(frames.boxes))
        for indices in self.groups.values():
            for index, found in zip(indices, self._count(frames, indices), strict=True):
                self.counts[index].append(found.counts)
                self.ideal[index].append(found.ideal)
                self.shortest = min(self.shortest, found.shortest)

    def found(self) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """Counts of all frames, and those of an ideal gas, [F, bins] per target."""
        pairs = zip(self.counts, self.ideal, self.bins, strict=True)
        both = [tuple(np.concatenate([part[:, :bins] for part in parts]) for parts in two) for *two, bins in pairs]
        return [counts for counts, _ in both], [ideal for _, ideal in both]

    def take(
        self, counts: list[NDArray[np.float64]], ideal: list[NDArray[np.float64]], shortest: float, half_box: float
    ) -> None:
        """Those of later frames, which other ones have counted."""
        self.cut(half_box)
        for index, found in enumerate(zip(counts, ideal, strict=True)):
            self.counts[index].append(found[0])
            self.ideal[index].append(found[1])
        self.shortest = min(self.shortest, shortest)

    def cut(self, half_box: float) -> None:
        """Count up to half of the smallest box only. Raises DiffPairError where too little of a target is left."""
        if half_box >= self.half_box:
            return
        self.half_box = half_box
        for index, target in enumerate(self.state.rdfs):
            self.bins[index] = int(np.searchsorted(target.edges, SLACK * self.half_box, side="right")) - 1
            self.bins[index] = min(self.bins[index], len(target.r))
            if self.bins[index] < MIN_POINTS:
                raise DiffPairError(
                    f"{target.label}: half of the box that the barostat of state {self.state.name!r} reached is "
                    f"{self.half_box:.4g} nm, which leaves fewer than {MIN_POINTS} bins to compare: use more particles"
                )

    @property
    def note(self) -> str:
        """What was cut, for the user; empty where nothing was."""
        cut = [t for t, bins in zip(self.state.rdfs, self.bins, strict=True) if bins < len(t.r)]
        if not cut:
            return ""
        names = " and ".join(dict.fromkeys("-".join(target.pair) for target in cut))
        return (
            f"state {self.state.name!r}: half of the smallest box that its barostat reached is {self.half_box:.4g} nm: "
            f"g of {names} beyond was not compared"
        )

    def _count(self, frames: Frames, indices: list[int]) -> list[PairCounts]:
        state, targets = self.state, [self.state.rdfs[index] for index in indices]
        pairs = [state.pair_types(target.pair) for target in targets]
        return count_types(
            frames.positions, frames.boxes, state.types, state.exclusions, pairs,
            targets[0].edges[: self.bins[indices[0]] + 1],
            name=f"state {state.name!r}",
        )  # fmt: skip

    def results(self) -> list[RdfResult]:
        return [
            _compare_rdf(target, *(np.concatenate([part[:, :bins] for part in parts]) for parts in (counts, ideal)))
            for target, counts, ideal, bins in zip(self.state.rdfs, self.counts, self.ideal, self.bins, strict=True)
        ]


def _compare_rdf(target: RdfTarget, counts: NDArray[np.float64], ideal: NDArray[np.float64]) -> RdfResult:
    """counts: [F, bins] of the target's first bins. ideal: the same of an ideal gas in the frame's box."""
    bins, per_bin = counts.shape[1], ideal.mean(axis=0)
    r, wanted, g = target.r[:bins], target.g[:bins], counts.mean(axis=0) / per_bin
    # the ideal gas of the frame's volume is as many pairs more or less as the frame has by its volume alone
    found = series_error(counts - g * (ideal - per_bin))
    error = found.error / per_bin
    return RdfResult(
        target.pair, r, g, wanted, error, float(np.mean(np.abs(g - wanted))), mean_absolute_noise(error),
        target.scale_error, found.independent, found.known,
    )  # fmt: skip
