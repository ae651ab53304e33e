"""Reweighted averages: their weights from energies, their gradient by finite differences, and when they are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients import Fluctuation, ReweightedFrames, Reweighting, TargetRows, TooFewFrames
from diffpair.potentials import TableGrid
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.5, 1.4, 12)


@pytest.fixture(scope="module")
def rows():
    """Two types, two targets on different bins."""
    r, wide = 0.6 + 0.05 * np.arange(16), 0.7 + 0.07 * np.arange(10)
    targets = [RdfTarget(("A", "A"), r, np.ones(16)), RdfTarget(("B", "A"), wide, np.ones(10))]
    return TargetRows(build_lattice("small", 40, 1.2, {"A": 0.5, "B": 0.5}, 1.0, 150.0, targets=targets))


@pytest.fixture(scope="module")
def frames(rows):
    """Frames of a distorted lattice: any frames will do for identities."""
    x = rows.state.positions + np.random.default_rng(0).normal(scale=0.12, size=(30, rows.state.num_atoms, 3))
    return Frames(x, np.zeros_like(x), np.repeat(rows.state.box[None], 30, 0), np.zeros(30))


@pytest.fixture(scope="module")
def tables():
    """The table that made the frames and the present one, [3, knots + 2]."""
    reference, change = np.random.default_rng(1).normal(size=(2, 3, GRID.knots + 2))
    reference[:, -3:] = change[:, -3:] = 0
    return torch.from_numpy(reference), torch.from_numpy(reference + 0.1 * change)


def energies(rows, frames, table):
    """U of every frame from the pair loop that makes forces, not from the sums of basis functions."""
    t = rows.topology
    x, boxes = torch.from_numpy(frames.positions), torch.from_numpy(frames.boxes)
    return torch.ops.diffpair.pair_forces(
        x, boxes, t.types, t.exclusions, t.num_types, GRID.r_min, GRID.cutoff, table.contiguous()
    )[1].numpy()


def average(rows, frames, table, reference):
    """<g> under `table`, from energies alone."""
    w = np.exp(-rows.state.beta * (energies(rows, frames, table) - energies(rows, frames, reference)))
    return w @ rows.of_frames(frames, table, GRID)[0] / w.sum(), w


def test_gradient_by_finite_differences(rows, frames, tables):
    """d(w . <g>)/dc along random directions, at a table other than the one that made the frames."""
    reference, present = tables
    rng = np.random.default_rng(2)
    weights = rng.normal(size=len(rows))
    gradient = Reweighting()(rows, present, GRID, frames, torch.from_numpy(weights), reference=reference)
    for _ in range(3):
        direction = torch.from_numpy(rng.normal(size=present.shape))
        step = 1e-5
        plus, minus = (average(rows, frames, present + s * direction, reference)[0] @ weights for s in (step, -step))
        assert float((gradient * direction).sum()) == pytest.approx((plus - minus) / (2 * step), rel=1e-6)


def test_weights_and_effective_number(rows, frames, tables):
    reference, present = tables
    mean, w = average(rows, frames, present, reference)
    sums = Fluctuation().sums(rows, reference, GRID, frames)
    seen = Reweighting().reweight(rows, sums, present.numpy(), reference.numpy())
    np.testing.assert_allclose(seen.probabilities, w / w.sum(), rtol=1e-9)
    np.testing.assert_allclose(seen.mean, mean, rtol=1e-9)
    assert seen.effective == pytest.approx(w.sum() ** 2 / (w**2).sum() / 30)
    assert 0.1 < seen.effective < 0.95
    same = Reweighting().reweight(rows, sums, present.numpy(), present.numpy())
    assert same.effective == pytest.approx(1.0)
    far = ReweightedFrames.of(sums, np.full(present.numel(), 100.0), rows.state.beta)
    assert far.effective == pytest.approx(1 / 30)


def test_at_the_reference_it_is_the_fluctuation_gradient(rows, frames, tables):
    weights = torch.from_numpy(np.random.default_rng(3).normal(size=len(rows)))
    reweighted = Reweighting()(rows, tables[0], GRID, frames, weights)
    fluctuation = Fluctuation()(rows, tables[0], GRID, frames, weights)
    np.testing.assert_allclose(reweighted, fluctuation * 29 / 30, rtol=1e-9, atol=1e-12)


def test_too_few_effective_frames(rows, frames, tables):
    reference, present = tables
    sums = Fluctuation().sums(rows, reference, GRID, frames)
    far = (reference + 30 * (present - reference)).numpy()
    count = 30 * ReweightedFrames.of(sums, (far - reference.numpy()).ravel(), rows.state.beta).effective
    with pytest.raises(TooFewFrames, match=rf"30 frames of state 'small' count as {count:.1f} under .*below the 15.0"):
        Reweighting(0.5).reweight(rows, sums, far, reference.numpy())
    with pytest.raises(DiffPairError, match="not finite"):
        ReweightedFrames.of(sums, np.full(present.numel(), np.inf), 1.0)
    with pytest.raises(DiffPairError, match="2 or more frames, not 1"):
        one = Frames(*(part[:1] for part in vars(frames).values()))
        Reweighting()(rows, present, GRID, one, torch.zeros(len(rows), dtype=torch.float64))


@pytest.mark.parametrize(("min_effective", "updates"), [(0.0, 1), (1.5, 1), (0.5, 0)])
def test_bad_settings(min_effective, updates):
    with pytest.raises(DiffPairError, match="min_effective above 0"):
        Reweighting(min_effective, updates)
