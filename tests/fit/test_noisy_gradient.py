"""The gradient of a first-order update, and its noise."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from diffpair.engines import Frames
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.gradients import DiscreteAdjoint, Fluctuation, FrameSums, TargetRows
from diffpair.potentials import LennardJones, TableGrid, tabulate
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.75, 1.6, 16)


@pytest.fixture(scope="module")
def liquid():
    """Rows, table, frames of a distorted lattice with velocities, weights, and the sums of these frames."""
    r = 0.8 + 0.04 * (np.arange(20) + 0.5)
    state = build_lattice("small", 108, 0.8, {"A": 1.0}, 1.0, 120.27, targets=[RdfTarget(("A", "A"), r, np.ones(20))])
    rows, rng = TargetRows(state), np.random.default_rng(2)
    x = state.positions + rng.normal(scale=0.03, size=(40, 108, 3))
    frames = Frames(x, rng.normal(size=x.shape), np.repeat(state.box[None], 40, 0), np.zeros(40))
    table = tabulate(LennardJones(("A",), 1.6), GRID).detach()
    sums = Fluctuation().sums(rows, table, GRID, frames)
    return rows, table, frames, torch.from_numpy(rng.normal(size=len(rows))), sums


@pytest.mark.parametrize(
    "method", [Fluctuation(), WatchedAdjoint(DiscreteAdjoint(8, 10, 5, timestep=0.002, max_growth=np.inf))]
)
def test_gradient_is_that_of_the_method(liquid, method):
    """Eight segments in four batches have the mean of eight segments."""
    rows, table, frames, weights, sums = liquid
    gradient, noise = method.with_noise(rows, table, GRID, frames, weights, sums)
    wanted = method(rows, table, GRID, frames, weights, sums)
    np.testing.assert_allclose(gradient, wanted.numpy().ravel(), rtol=1e-9, atol=1e-9 * float(wanted.abs().max()))
    assert noise.shape[1] == gradient.size and 0 < (noise**2).sum() < np.inf


def test_noise_is_unknown_where_nothing_tells_it(liquid):
    rows, table, frames, weights, sums = liquid
    few = WatchedAdjoint(DiscreteAdjoint(2, 10, 5, timestep=0.002, max_growth=np.inf))
    gradient, noise = few.with_noise(rows, table, GRID, frames, weights, sums)
    assert noise is None and np.isfinite(gradient).all()


def test_noise_of_fluctuations_is_the_scatter_of_repeated_samplings():
    """Of frames that share their noise, five after each other; the gradient is quadratic in it."""
    rng, weights = np.random.default_rng(4), torch.tensor([1.0, -0.5, 0.3], dtype=torch.float64)
    mix = rng.normal(size=(6, 3 + 4))
    rows = SimpleNamespace(state=SimpleNamespace(beta=0.7))
    found, told = [], []
    for _ in range(400):
        both = np.repeat(rng.normal(size=(200, 6)) @ mix, 5, axis=0)
        sums = FrameSums(both[:, :3], both[:, 3:])
        gradient, noise = Fluctuation().with_noise(rows, torch.zeros(1, 4), GRID, None, weights, sums)
        found.append(gradient)
        told.append((noise**2).sum(0))
    np.testing.assert_allclose(np.mean(told, axis=0), np.var(found, axis=0), rtol=0.25)
