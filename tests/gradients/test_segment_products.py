"""Products with the Jacobian of segments: exact, noisy as their batches say, and without what is chaos."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients import Chaos, DiscreteAdjoint, TargetRows, segment_products, smooth_vectors
from diffpair.potentials import LennardJones, TableGrid, tabulate
from diffpair.segments import run_segment
from diffpair.states import build_lattice
from diffpair.targets import PressureTarget, RdfTarget

GRID = TableGrid(0.8, 2.0, 40)
SEGMENT = {"timestep": 0.003, "dtype": torch.float64}


@pytest.fixture(scope="module")
def rows():
    r = 0.8 + 0.05 * (np.arange(24) + 0.5)
    targets = [RdfTarget(("A", "A"), r, np.ones(24)), PressureTarget(100.0, 1.0)]
    return TargetRows(build_lattice("lj", 108, 0.8, {"A": 1.0}, 1.0, 120.27, targets=targets))


@pytest.fixture(scope="module")
def c():
    return tabulate(LennardJones(("A",), 2.0), GRID).detach()


def frames_of(rows, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rows.state.positions + rng.normal(scale=0.05, size=(count, rows.state.num_atoms, 3))
    v = rng.normal(scale=1.0, size=x.shape)
    return Frames(x, v, np.repeat(rows.state.box[None], count, 0), np.zeros(count))


def test_products_by_finite_differences(rows, c):
    """The whole matrix, every batch of it, against the same segments run with other tables; the pressure's own
    dependence on the table included."""
    frames = frames_of(rows, 8)
    products = segment_products(DiscreteAdjoint(8, 20, 5, **SEGMENT), rows, c, GRID, frames, np.eye(len(rows))).products
    assert products.shape == (4, len(rows), c.numel())
    direction = torch.from_numpy(np.random.default_rng(1).normal(size=c.shape))
    direction[:, -3:] = 0
    boxes, step = torch.from_numpy(frames.boxes), 1e-5

    def values(table):
        x, v = run_segment(
            torch.from_numpy(frames.positions), torch.from_numpy(frames.velocities), table, topology=rows.topology,
            boxes=boxes, inverse_mass=rows.inverse_mass, r_min=GRID.r_min, cutoff=GRID.cutoff, timestep=0.003,
            steps=20, frame_every=5,
        )  # fmt: skip
        return rows.of_segment(x, v, boxes, table, GRID).unflatten(0, (4, 2)).mean(1).numpy()

    numerical = (values(c + step * direction) - values(c - step * direction)) / (2 * step)
    found = products @ direction.flatten().numpy()
    np.testing.assert_allclose(found, numerical, rtol=1e-5, atol=1e-6 * np.abs(numerical).max())


def test_a_product_is_the_gradient(rows, c):
    """Its mean over batches is what DiscreteAdjoint gives for that loss."""
    frames = frames_of(rows, 8)
    vector = np.random.default_rng(2).normal(size=len(rows))
    method = DiscreteAdjoint(8, 20, 5, **SEGMENT)
    products = segment_products(method, rows, c, GRID, frames, vector[None]).products
    gradient = method(rows, c, GRID, frames, torch.from_numpy(vector)).flatten().numpy()
    np.testing.assert_allclose(products[:, 0].mean(0), gradient, rtol=1e-9, atol=1e-12)


def test_noise_shrinks_with_the_segments(rows, c):
    """Variance of the batches' mean: inverse to the number of segments."""
    frames = frames_of(rows, 32)
    vectors = smooth_vectors(rows, 4)
    noise = []
    for segments in (8, 32):
        products = segment_products(
            DiscreteAdjoint(segments, 10, 10, **SEGMENT), rows, c, GRID, frames, vectors
        ).products
        noise.append(float(np.sum(np.var(products, axis=0, ddof=1))) / len(products))
    assert 2 < noise[0] / noise[1] < 8  # 4, known as well as 3 degrees of freedom of some rows allow


def test_smooth_vectors(rows):
    """Orthonormal; a constant and slow waves of g are held, the pressure is left as it is."""
    vectors = smooth_vectors(rows, 10)
    assert vectors.shape == (11, len(rows))
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(11), atol=1e-12)
    bins = len(rows.rdf)
    wave = np.append(1 + np.cos(np.pi * 3 * (np.arange(bins) + 0.5) / bins), 2.0)
    np.testing.assert_allclose(vectors.T @ (vectors @ wave), wave, atol=1e-12)
    assert len(smooth_vectors(rows, 1000)) == len(rows)


def test_chaos_is_left_out(rows, c):
    """One segment above the limit drops out of its batch; too many of them are an error."""
    frames = frames_of(rows, 12)
    frames.velocities[4] *= 12  # so hot that collisions are violent
    calm = DiscreteAdjoint(12, 40, 10, max_growth=np.inf, **SEGMENT)
    vectors = smooth_vectors(rows, 3)
    growth = segment_products(calm, rows, c, GRID, frames, vectors).growth
    others = np.delete(growth, 4)
    assert growth[4] > 1.2 * others.max()
    limited = DiscreteAdjoint(12, 40, 10, max_growth=0.5 * (growth[4] + others.max()), **SEGMENT)
    result = segment_products(limited, rows, c, GRID, frames, vectors)
    assert result.dropped == 1
    without = [i for i in range(3, 6) if i != 4]
    alone = [
        segment_products(calm, rows, c, GRID, Frames(*(np.repeat(p[i : i + 1], 12, 0) for p in vars(frames).values())),
                         vectors).products[0]
        for i in without
    ]  # fmt: skip
    np.testing.assert_allclose(result.products[1], np.mean(alone, axis=0), rtol=1e-8, atol=1e-10)
    with pytest.raises(Chaos, match="so they are too long"):
        strict = DiscreteAdjoint(12, 40, 10, max_growth=0.5 * others.min(), **SEGMENT)
        segment_products(strict, rows, c, GRID, frames, vectors)


def test_too_few_segments(rows, c):
    with pytest.raises(DiffPairError, match="needs 4 or more of them, each from a frame of its own.* has 3"):
        segment_products(DiscreteAdjoint(3, 10, 5, **SEGMENT), rows, c, GRID, frames_of(rows, 9), np.eye(len(rows)))
