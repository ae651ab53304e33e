"""The adjoint gradient: exact for its segments, and pointing where the equilibrium gradient points."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffpair.engines import Frames, Sampler
from diffpair.gradients import DiscreteAdjoint, Fluctuation, TargetRows
from diffpair.potentials import LennardJones, SoftSphere, TableGrid, tabulate, to_table
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
        return float(rows.g(x.flatten(0, 1), boxes.repeat_interleave(4, 0)).mean(0) @ weights)

    step = 1e-5
    numerical = (loss(c + step * direction) - loss(c - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(numerical, rel=1e-6)


def test_both_methods_point_the_same_way():
    """A soft-sphere liquid whose g(r) is to become that of Lennard-Jones: adjoint and fluctuation gradients of the
    RDF loss.

    DESIGN's measurement on LJ at 50 steps: cosine 0.9, norm ratio about a half, since the segment sees the part of the
    response that relaxes within it.
    """
    rows = make_rows(256)
    soft = to_table(SoftSphere(("A",), 2.0, n=12.0), GRID)
    wanted = to_table(LennardJones(("A",), 2.0), GRID)
    frames = []
    for table in (wanted, soft):
        sampler = Sampler(rows.state, table, timestep=0.004, seed=3)
        sampler.melt(1500)
        sampler.equilibrate(500)
        frames.append(sampler.sample(4000, 10))
    residual = torch.from_numpy(
        rows.of_frames(frames[1].positions, frames[1].boxes).mean(0)
        - rows.of_frames(frames[0].positions, frames[0].boxes).mean(0)
    )
    c = torch.from_numpy(soft.coefficients.copy())
    by_fluctuation = Fluctuation()(rows, c, GRID, frames[1], residual).flatten()
    by_adjoint = DiscreteAdjoint(48, 50, 5, timestep=0.004)(rows, c, GRID, frames[1], residual).flatten()
    cosine = float(torch.nn.functional.cosine_similarity(by_fluctuation, by_adjoint, dim=0))
    ratio = float(by_adjoint.norm() / by_fluctuation.norm())
    assert cosine > 0.75
    assert 0.2 < ratio < 1.2
