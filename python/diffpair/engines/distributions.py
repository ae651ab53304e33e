"""Distributions of bonds, angles and dihedrals in production, against their targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.frames import Frames
from diffpair.engines.results import DistributionResult
from diffpair.engines.series_error import series_error
from diffpair.engines.statistics import mean_absolute_noise
from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.states.state import State
from diffpair.targets.distribution import bin_fractions


class Distributions:
    """Counts of all target distributions of a state, frame by frame."""

    def __init__(self, state: State) -> None:
        self._targets = state.distributions
        paths = state.paths if self._targets else {}
        self._paths = [paths[target.kind] for target in self._targets]
        self._found: list[list[NDArray[np.float64]]] = [[] for _ in self._targets]

    def add(self, frames: Frames) -> None:
        for target, paths, found in zip(self._targets, self._paths, self._found, strict=True):
            found.append(bin_fractions(bonded_coordinates(frames.positions, frames.boxes, paths), target.edges))

    def found(self) -> list[NDArray[np.float64]]:
        """Parts of each bin in all frames, [F, bins] per target."""
        return [np.concatenate(parts) for parts in self._found]

    def take(self, fractions: list[NDArray[np.float64]]) -> None:
        """Those of later frames, which another one has counted."""
        for parts, found in zip(self._found, fractions, strict=True):
            parts.append(found)

    def results(self) -> list[DistributionResult]:
        """A result per target."""
        results = []
        for target, parts in zip(self._targets, self._found, strict=True):
            fractions = np.concatenate(parts)
            series = series_error(fractions)
            p, error = fractions.mean(0) / target.width, series.error / target.width
            outside = 1 - float(p.sum() * target.width)  # where the target has nothing
            results.append(
                DistributionResult(
                    target.coordinate.name,
                    target.kind,
                    target.centres,
                    p,
                    target.p,
                    error,
                    target.l1(p) + outside,
                    mean_absolute_noise(error) * target.width * len(p),
                    series.known,
                )
            )
        return results
