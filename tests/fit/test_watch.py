"""Products of watched segments: chaos shortens those that make a Jacobian, and only leaves out what corrects it."""

from __future__ import annotations

import numpy as np
import torch

from diffpair.engines import Frames
from diffpair.fit.iterate.learner import StateSegments
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.gradients import DiscreteAdjoint, TargetRows, segment_products, smooth_vectors
from diffpair.potentials import LennardJones, TableGrid, tabulate
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget
from diffpair.updates import Observation, SegmentMemory

GRID = TableGrid(0.8, 2.0, 40)


def test_chaos():
    r = 0.8 + 0.05 * (np.arange(24) + 0.5)
    targets = [RdfTarget(("A", "A"), r, np.ones(24))]
    rows = TargetRows(build_lattice("lj", 108, 0.8, {"A": 1.0}, 1.0, 120.27, targets=targets))
    rng = np.random.default_rng(0)
    x = rows.state.positions + rng.normal(scale=0.05, size=(4, rows.state.num_atoms, 3))
    frames = Frames(x, rng.normal(size=x.shape), np.repeat(rows.state.box[None], 4, 0), np.zeros(4))
    c = tabulate(LennardJones(("A",), 2.0), GRID).detach()
    vectors = smooth_vectors(rows, 3)
    growth = {
        steps: segment_products(
            DiscreteAdjoint(4, steps, 20, timestep=0.004, max_growth=np.inf), rows, c, GRID, frames, vectors
        ).growth
        for steps in (80, 160)
    }
    limit = 0.5 * (growth[80].max() + growth[160].min())
    assert growth[80].max() < limit < growth[160].min()  # so long segments are all chaos, short ones are not
    watched = WatchedAdjoint(DiscreteAdjoint(4, 160, 20, timestep=0.004, max_growth=limit))
    assert watched.correction(rows, c, GRID, frames, vectors[0]) is None
    assert watched.method.steps == 160 and "this iteration does without" in watched.told()
    result = watched.products(rows, c, GRID, frames, vectors)
    assert watched.method.steps == 80 and "goes on with segments of 80 steps" in watched.told()
    correction = watched.correction(rows, c, GRID, frames, vectors[0])
    torch.testing.assert_close(torch.from_numpy(correction), torch.from_numpy(result.products[:, 0]))
    assert watched.count == 5


def test_segments_that_became_shorter_make_the_jacobian_anew():
    """Halved for another state: a correction by shorter ones would be taken for a change of the Jacobian."""
    r = 0.8 + 0.05 * (np.arange(24) + 0.5)
    targets = [RdfTarget(("A", "A"), r, np.ones(24))]
    rows = TargetRows(build_lattice("lj", 108, 0.8, {"A": 1.0}, 1.0, 120.27, targets=targets))
    rng = np.random.default_rng(0)
    x = rows.state.positions + rng.normal(scale=0.05, size=(4, rows.state.num_atoms, 3))
    frames = Frames(x, rng.normal(size=x.shape), np.repeat(rows.state.box[None], 4, 0), np.zeros(4))
    c = tabulate(LennardJones(("A",), 2.0), GRID).detach()
    none = np.zeros((0, c.numel()))
    residual = rng.normal(size=len(rows))
    seen = Observation(c.flatten().numpy(), residual, np.ones(len(rows)), none, none, np.eye(len(rows)))
    watched = WatchedAdjoint(DiscreteAdjoint(4, 40, 20, timestep=0.004))
    memory = SegmentMemory(3)

    def learn(of):
        of.measure(StateSegments(watched, rows, GRID, frames, c.numpy()), seen)
        return watched.count

    assert learn(memory) == 3 and memory.steps == 40
    assert learn(memory) == 4  # a correction
    watched.set_numbers(4, 20)
    kept = SegmentMemory(3)
    kept.restore(memory.content())
    assert learn(kept) == 7 and kept.steps == 20
    fresh = SegmentMemory(3)
    learn(fresh)
    np.testing.assert_allclose(kept.batches, fresh.batches)
    assert np.abs(kept.batches - memory.batches).max() > 0.1 * np.abs(memory.batches).max()


def test_other_numbers_leave_the_rest_of_the_method_as_it_was():
    method = DiscreteAdjoint(4, 160, 20, timestep=0.004, dtype=torch.float32, max_growth=2.0, seed=5, platform="OpenCL")
    watched = WatchedAdjoint(method)
    watched.set_numbers(8, 40)
    expected = vars(method) | {"segments": 8, "steps": 40}
    assert vars(watched.method) == expected and method.steps == 160
