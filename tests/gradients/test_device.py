"""Sums and segments on the device that a fit is told; on a GPU where torch sees one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients import DiscreteAdjoint, Fluctuation, TargetRows, pick_device, segment_products, smooth_vectors
from diffpair.gradients.device import CPU, frame_sums, sums_grid_by_grid
from diffpair.potentials import TableGrid
from diffpair.segments import SumsGrid, Topology
from diffpair.settings.sampling import Sampling
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.5, 1.6, 24)
BOX = np.array([[5.0, 0, 0], [1.1, 4.7, 0], [-0.9, 0.8, 5.2]])
HAS_GPU = torch.cuda.is_available() and torch.version.cuda is not None


def test_what_is_not_there_is_refused():
    assert pick_device("cpu") == CPU
    if HAS_GPU:
        assert pick_device("auto") == pick_device("cuda") == torch.device("cuda")
        return
    assert pick_device("auto") == CPU
    why = "this torch was built without CUDA" if torch.version.cuda is None else "torch sees no Nvidia GPU here"
    with pytest.raises(DiffPairError, match=f"sampling: device = cuda, but {why}; leave device out, or give device: c"):
        pick_device("cuda")


def test_an_unknown_device_is_refused():
    with pytest.raises(DiffPairError, match="'gpu' is not available"):
        Sampling(timestep="1 fs", device="gpu")
    assert Sampling(timestep="1 fs").device == "auto" and Sampling(timestep="1 fs").platform == "auto"


@pytest.mark.parametrize("device", ["cpu", *(["cuda"] if HAS_GPU else [])])
@pytest.mark.parametrize(("single", "tolerance"), [(False, 1e-10), (True, 2e-4)])
def test_sums_grid_by_grid_are_those_of_one_list(single, tolerance, device):
    """As a GPU takes them, also far from the box that particles began in, where float32 has no digits left."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, (3, 90, 3)) @ BOX
    away = x + rng.integers(-40, 40, (3, 90, 3)) @ BOX
    boxes = torch.from_numpy(np.repeat(BOX[None], 3, 0))
    topology = Topology.of(rng.integers(0, 2, 90), 2, np.array([[0, 1], [4, 9]]))
    grids = [SumsGrid(*GRID), SumsGrid(0.3, 1.9, 40)]
    expected = frame_sums(torch.from_numpy(x), boxes, topology, grids, False, CPU)
    found = sums_grid_by_grid(torch.from_numpy(away).to(device), boxes, topology, grids, single)
    for one, other in zip(found, expected, strict=True):
        assert one.device.type == device
        torch.testing.assert_close(one.cpu(), other, rtol=0, atol=tolerance)
        assert float(other.abs().max()) > 5


@pytest.mark.skipif(not HAS_GPU, reason="torch sees no GPU")
def test_a_fit_s_numbers_on_a_gpu_are_those_of_the_processor():
    rng = np.random.default_rng(2)
    state = build_lattice("mixture", 125, 0.5, {"A": 0.6, "B": 0.4}, 1.0, 120.0)
    r = np.arange(0.6, 1.5, 0.05)
    state.targets += [RdfTarget(pair, r, np.ones_like(r)) for pair in (("A", "A"), ("A", "B"))]
    x = state.positions + rng.normal(scale=0.05, size=(8, 125, 3))
    frames = Frames(x, rng.normal(size=x.shape), np.repeat(state.box[None], 8, 0), np.zeros(8))
    c = torch.from_numpy(rng.normal(size=(3, GRID.knots + 2)))
    method = DiscreteAdjoint(8, 20, 10, timestep=0.002, max_growth=np.inf)
    results = []
    for device in ("cpu", "cuda"):
        rows = TargetRows(state, pick_device(device))
        sums = Fluctuation().sums(rows, c, GRID, frames)
        weights = torch.linspace(-1, 1, len(rows), dtype=torch.float64)
        gradient = method.measure(rows, c, GRID, frames, weights)
        products = segment_products(method, rows, c, GRID, frames, smooth_vectors(rows, 3))
        results.append((sums.observables, sums.splines, gradient.gradient.numpy(), gradient.growth, products.products))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-8 * np.abs(one).max())
