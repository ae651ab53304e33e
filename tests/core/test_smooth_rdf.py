"""The differentiable RDF: ideal gas, normalisation, its smoothing, its gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracle import bspline
from systems import make_system

from diffpair.observables.smooth_rdf import SmoothRdf
from diffpair.segments import Topology


def test_ideal_gas_is_one_within_its_noise():
    """g = 1 for uncorrelated particles: every bin within a few of its standard errors, for all pairs of two types."""
    rng = np.random.default_rng(2)
    atoms, frames, box = 300, 60, np.diag([4.0, 5.0, 6.0])
    topology = Topology.of(np.arange(atoms) % 3 == 0, 2)
    rdf = SmoothRdf(0.3, 0.05, 30, topology)
    x = torch.from_numpy(rng.random((frames, atoms, 3)) @ box)
    g = rdf.g(x, torch.from_numpy(box).expand(frames, 3, 3).contiguous())
    assert g.shape == (frames, 3, 30)
    error = g.std(0) / np.sqrt(frames)
    pull = ((g.mean(0) - 1) / error).numpy()
    assert np.abs(pull).max() < 4.5 and 0.6 < pull.std() < 1.5
    assert float(error.max()) < 0.06


def test_one_pair_gives_the_kernel_everywhere():
    """A pair at distance r counts B((r - r_k) / D) in bin k, also from the padding outside the window."""
    topology = Topology.of([0, 0], 1)
    rdf = SmoothRdf(0.5, 0.1, 8, topology)
    for r in (0.15, 0.29, 0.31, 0.44, 0.5, 0.777, 1.2, 1.29, 1.35, 1.41, 1.6):
        x = torch.tensor([[[0.0, 0, 0], [0, r, 0]]], dtype=torch.float64)
        counts = rdf.counts(x, 5 * torch.eye(3, dtype=torch.float64)[None])[0, 0]
        expected = bspline((r - torch.from_numpy(rdf.centres)) / 0.1)
        torch.testing.assert_close(counts, expected, rtol=1e-10, atol=1e-12)


def test_equals_direct_numpy_normalisation():
    """Absolute normalisation: counts over those of the ideal gas, shell volumes integrated with the kernel."""
    system = make_system(num_types=2, exclusions=6)
    width, start, bins = 0.08, 0.6, 10
    rdf = SmoothRdf(start, width, bins, system.topology)
    counts = rdf.counts(system.x[None], system.box[None])[0].numpy()
    g = rdf.g(system.x[None], system.box[None])[0].numpy()
    types = system.topology.types.tolist()
    excluded = {tuple(sorted(pair)) for pair in system.topology.exclusions.tolist()}
    pairs = [0, 0, 0]
    for i in range(len(types)):
        for j in range(i + 1, len(types)):
            pairs[types[i] + types[j]] += (i, j) not in excluded
    r = np.linspace(0, 3, 300001)
    for k in range(bins):
        kernel = bspline(torch.from_numpy((r - start - k * width) / width)).numpy()
        shell = np.trapezoid(4 * np.pi * r**2 * kernel, r)
        for row in range(3):
            density = pairs[row] / float(torch.linalg.det(system.box))
            assert g[row, k] == pytest.approx(counts[row, k] / (density * shell), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("first", [0.45, 0.9], ids=["window below the first pair", "pairs cross the lower edge"])
def test_gradient(first):
    """Against finite differences, with pairs crossing both edges of the window."""
    system = make_system(num_types=2, atoms=20, exclusions=3)
    rdf = SmoothRdf(first, 0.07, 8, system.topology)
    x = system.x[None].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: rdf.g(z, system.box[None]), (x,), eps=1e-6, atol=1e-6)


def test_reach_beyond_half_the_box_is_refused():
    system = make_system()
    with pytest.raises(RuntimeError, match="beyond half the periodic box"):
        SmoothRdf(0.5, 0.1, 13, system.topology).g(system.x[None], system.box[None])
