"""Sums over frames in pieces: totals and errors do not depend on how long the trajectory is."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.trajectories.pieces import Pieces


@pytest.mark.parametrize("count", [5, 200, 201, 999, 1600, 5000])
def test_blocks_are_even_in_trajectories_of_any_length(count):
    """The value of a block is the mean of numbers 0, 1, 2 ..: the blocks' means are those of equal parts."""
    pieces = Pieces()
    for number in range(count):
        pieces.add(10, {"sum": 10.0 * np.array([number, 2 * number])})
    assert pieces.frames == 10 * count and len(pieces) <= 200
    np.testing.assert_allclose(pieces.total()["sum"], 10 * np.array([1, 2]) * np.arange(count).sum())
    seen: list[np.ndarray] = []

    def mean(sums):
        seen.append(np.array(sums["sum"]))
        return np.ones(2)

    assert pieces.error(mean, 5) is not None
    np.testing.assert_allclose(np.sum(seen, axis=0), pieces.total()["sum"])
    parts = [10 * part.sum() for part in np.array_split(np.arange(count), 5)]
    # a block ends with a piece: a hundredth of the trajectory, and so much of the mean number, at most
    np.testing.assert_allclose([one[0] for one in seen], parts, atol=0.025 * 10 * count * count / 2)


def test_errors_are_those_of_independent_numbers():
    """Standard error of a mean over 1,600 pieces of white noise, within its own scatter."""
    rng, found = np.random.default_rng(5), []
    for _ in range(20):
        pieces = Pieces()
        for value in rng.normal(size=1600):
            pieces.add(1, {"sum": np.array([value]), "count": np.array([1.0])})
        error = pieces.error(lambda sums: sums["sum"] / sums["count"], 5)
        assert error is not None
        found.append(float(error[0]) ** 2)
    assert np.mean(found) == pytest.approx(1 / 1600, rel=4 * np.sqrt(2 / (4 * 20)))
