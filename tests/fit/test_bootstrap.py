"""The bootstrap of error bars, against fits to data that are drawn again and again."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from diffpair.fit.iterate.live_state import Known
from diffpair.fit.judge.bootstrap import bootstrap
from diffpair.fit.judge.uncertainty import _compared
from diffpair.gradients import AllFrames, BlockMoments, Fluctuation, FrameSums, remembered
from diffpair.gradients.rdf_rows import FLOOR
from diffpair.potentials import BSpline, TableGrid
from diffpair.updates import Memory, Observation, ParameterSpace, StateView
from diffpair.updates.basis import spline_basis
from diffpair.updates.linear_model import LinearModel, Start

GRID = TableGrid(0.8, 2.5, 30)
R = np.linspace(0.85, 2.4, 60)
BASIS = spline_basis(GRID, R)
SEEN = BASIS[(R > 0.95) & (R < 2.2)]
FRAMES = 1600
OF_A_FRAME = 0.2**2 * (np.exp(-0.5 * ((np.arange(60)[:, None] - np.arange(60)) / 3.0) ** 2) + 0.01 * np.eye(60))
TARGET = np.exp(-BASIS @ (4 * (np.maximum(GRID.centres().numpy(), 0.8) ** -12.0)))


class Gas:
    """A state whose <A> answers to the table linearly, and whose frames are drawn from a normal distribution with the
    covariance of A and S that this answer asks for. alike: so many frames after each other are the same."""

    def __init__(self, rng, alike):
        self.rng, self.alike, self.seen, self.variant = rng, alike, [], 0
        self.state, self.rows = SimpleNamespace(beta=1.0), SimpleNamespace(target=TARGET)
        self.jacobian = -TARGET[:, None] * BASIS
        self.by_noise = -np.linalg.solve(OF_A_FRAME, self.jacobian)
        self.factor = np.linalg.cholesky(OF_A_FRAME)

    def sample(self, table, wanted):
        noise = np.repeat(self.rng.normal(size=(FRAMES // self.alike, 60)), self.alike, axis=0) @ self.factor.T
        sums = FrameSums(TARGET + self.jacobian @ (table - wanted) + noise, noise @ self.by_noise)
        sigma = np.sqrt(sums.standard_error() ** 2 + FLOOR**2)
        found = Observation(
            table, sums.mean - TARGET, sigma, Fluctuation().jacobian(sums, 1.0), sums.jacobian_doubt(1.0, sigma),
            sums.covariance(), FRAMES,
        )  # fmt: skip
        self.seen.append((found, sums))


def fit(rng, alike=1, kind=AllFrames):
    """A model of three samplings on the way to the table, that table, the gas, and what is known of it."""
    space = ParameterSpace(BSpline(("A",), GRID.cutoff, GRID.r_min, GRID.knots), GRID, [()], 1.0, np.array([1.0]))
    start, gas = Start.of(space), Gas(rng, alike)
    wanted = np.zeros(GRID.knots + 2)
    wanted[:-3] = 0.3 * np.exp(-GRID.centres().numpy()[:-3] / 2)
    for part in (0.0, 0.6, 0.9):
        table = part * wanted
        gas.sample(table, wanted)
    space.set(table[: space.size])
    found = Known(Memory([o for o, _ in gas.seen]), [kind(sums) for _, sums in gas.seen])
    weights = (BASIS * (R**2 * TARGET)[:, None]).sum(0)[None]
    known = np.full(60, 1e-6)  # the target's error: none to speak of
    view = StateView(found.memory, 0, SEEN, 1.0, weights, target_error=known, floor=np.full(60, 1e-4))
    return LinearModel(space, [view], start, smoothness=1.0), table, gas, found


@pytest.mark.parametrize("alike", [1, 8])
def test_bootstrap_is_the_scatter_of_repeated_fits(alike):
    """So is what the band takes for this noise before it is inflated. The bootstrap, of ten blocks and first order in
    the noise of J, is a sixth low; one of it differs from the next by a fifth, so here it is the mean of many."""
    rng = np.random.default_rng(5)
    found, drawn, told = [], [], []
    for repeat in range(40):
        model, table, gas, known = fit(rng, alike)
        found.append(SEEN @ (table + model.change()[1][0]))
        if repeat < 20:
            replicas, factors = bootstrap(model, [gas], [known], seed=repeat)
            drawn.append(np.std(SEEN @ replicas[0].T, axis=1))
            told.append(np.sqrt(((SEEN @ factors[0]) ** 2).sum(1) / model.inflation()))
    scatter = np.sqrt(np.mean(np.var(found, axis=0)))
    assert np.sqrt(np.mean(np.square(drawn))) == pytest.approx(scatter, rel=0.25)
    assert np.sqrt(np.mean(np.square(told))) == pytest.approx(scatter, rel=0.25)


def test_without_all_frames_there_is_none():
    model, _, gas, known = fit(np.random.default_rng(1))
    assert bootstrap(model, [gas], [Known(known.memory, known.blocks[1:])]) is None


def test_moments_of_blocks_tell_what_all_frames_tell():
    """They are kept instead of the frames where those are many."""
    replicas = []
    for kind in (AllFrames, BlockMoments.of):
        model, _, gas, known = fit(np.random.default_rng(2), kind=kind)
        replicas.append(bootstrap(model, [gas], [known])[0][0])
    assert np.abs(replicas[0]).max() > 1e-3
    np.testing.assert_allclose(*replicas, rtol=0, atol=1e-8 * np.abs(replicas[0]).max())
    rng = np.random.default_rng(3)
    for frames, kind in ((100, AllFrames), (20_000, BlockMoments)):
        sums = FrameSums(
            rng.normal(size=(frames, 60)), rng.normal(size=(frames, 20)), {7: rng.normal(size=(frames, 20))}
        )
        blocks = remembered(sums)
        assert isinstance(blocks, kind)
        chosen = np.array([1, 1, 4, 9, 0, 0, 0, 3, 5, 6])
        for found, expected in zip(blocks.drawn(chosen, 0.7), AllFrames(sums).drawn(chosen, 0.7), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_scatter_beyond_the_band_is_told():
    factor = 0.01 * np.eye(5)
    assert _compared("A-A", np.full(5, 0.014), factor) == []
    (told,) = _compared("A-A", np.full(5, 0.02), factor)
    assert "scatter U of A-A 2.0 times as much as its error band takes" in told
