"""The adjoint gradient: exact for its segments, and pointing where the equilibrium gradient points."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffpair.engines import Frames
from diffpair.gradients import Chaos, DiscreteAdjoint, TargetRows
from diffpair.potentials import LennardJones, TableGrid, tabulate
from diffpair.segments import run_segment
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.8, 2.0, 40)
T_STAR = 120.27


def make_rows(n):
    r = 0.8 + 0.05 * (np.arange(24) + 0.5)
    return TargetRows(
        build_lattice("lj", n, 0.8, {"A": 1.0}, 1.0, T_STAR, targets=[RdfTarget(("A", "A"), r, np.ones(24))])
    )


def test_gradient_by_finite_differences():
    """L(c) = w . g of the segments' frames, along one random direction in c."""
    rows = make_rows(108)
    state = rows.state
    rng = np.random.default_rng(0)
    c = tabulate(LennardJones(("A",), 2.0), GRID).detach()
    x = state.positions + rng.normal(scale=0.05, size=(3, state.num_atoms, 3))
    v = rng.normal(scale=1.0, size=x.shape)
    frames = Frames(x, v, np.repeat(state.box[None], 3, 0), np.zeros(3))
    weights = torch.from_numpy(rng.normal(size=len(rows)))
    method = DiscreteAdjoint(3, 20, 5, timestep=0.003)
    gradient = method(rows, c, GRID, frames, weights)
    direction = torch.from_numpy(rng.normal(size=c.shape))
    direction[:, -3:] = 0

    def loss(coefficients):
        boxes = torch.from_numpy(frames.boxes)
        x, _ = run_segment(
            torch.from_numpy(frames.positions), torch.from_numpy(v), coefficients, topology=rows.topology, boxes=boxes,
            inverse_mass=rows.inverse_mass, r_min=GRID.r_min, cutoff=GRID.cutoff, timestep=0.003, steps=20,
            frame_every=5,
        )  # fmt: skip
        return float(rows.rdf.g(x.flatten(0, 1), boxes.repeat_interleave(4, 0)).mean(0) @ weights)

    step = 1e-5
    numerical = (loss(c + step * direction) - loss(c - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(numerical, rel=1e-6)


def test_growth_and_what_is_dropped():
    """Growth from its definition, one segment at a time; segments above the limit take no part in the gradient."""
    rows = make_rows(108)
    rng = np.random.default_rng(4)
    c = tabulate(LennardJones(("A",), 2.0), GRID).detach()
    x = rows.state.positions + rng.normal(scale=0.04, size=(3, rows.state.num_atoms, 3))
    v = rng.normal(scale=1.0, size=x.shape)
    v[2] *= 12  # so hot that collisions are violent
    frames = Frames(x, v, np.repeat(rows.state.box[None], 3, 0), np.zeros(3))
    weights = torch.from_numpy(rng.normal(size=len(rows)))
    single, growth = [], []
    for i in range(3):
        one = Frames(*(part[i : i + 1] for part in vars(frames).values()))
        result = DiscreteAdjoint(1, 40, 10, timestep=0.003, max_growth=np.inf).measure(rows, c, GRID, one, weights)
        single.append(result.gradient)
        growth.append(result.growth[0])
    box = torch.from_numpy(rows.state.box[None])
    start = torch.from_numpy(x[:1]).requires_grad_()
    moved, _ = run_segment(
        start, torch.from_numpy(v[:1]), c, topology=rows.topology, boxes=box, inverse_mass=rows.inverse_mass,
        r_min=GRID.r_min, cutoff=GRID.cutoff, timestep=0.003, steps=40, frame_every=10,
    )  # fmt: skip
    loss = (rows.rdf.g(moved[0], box.repeat_interleave(4, 0)) @ weights).mean()
    back, put_in = torch.autograd.grad(loss, (start, moved))
    assert growth[0] == pytest.approx(float(back.norm() / put_in[0].flatten(1).norm(dim=1).sum()))
    assert growth[2] > 1.5 * max(growth[:2])
    limit = 0.5 * (max(growth[:2]) + growth[2])
    result = DiscreteAdjoint(3, 40, 10, timestep=0.003, max_growth=limit).measure(rows, c, GRID, frames, weights)
    assert result.dropped == 1
    np.testing.assert_allclose(result.growth, growth)
    np.testing.assert_allclose(result.gradient, 0.5 * (single[0] + single[1]), rtol=1e-9, atol=1e-12)
    with pytest.raises(Chaos, match=r"has become chaos: .* segments of 40 steps it grows by .*, so they are too long"):
        DiscreteAdjoint(3, 40, 10, timestep=0.003, max_growth=0.5 * min(growth))(rows, c, GRID, frames, weights)
