"""What may not change a bit of a segment: a second run, checkpoints, and for the noise threads and precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from segment_runs import NAMES, gradients, leaves_of, run
from systems import CUBIC, make_system

from diffpair.segments import Checkpoints, Topology, make_problem, plan_checkpoints


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_same_bits_twice_and_wherever_the_checkpoints_are(name, count, dtype):
    """Fast atoms rebuild the list within the blocks; neither frames nor gradients notice where the run was cut."""
    system = make_system(seed=9, num_types=2)
    x = system.x - torch.floor(system.x @ system.box.inverse()) @ system.box
    x0 = x.expand(count, -1, -1).to(dtype).contiguous()
    leaves = [x0, (3 * system.v).expand_as(x0).to(dtype), *leaves_of(system)[2:]]
    whole = gradients(name, system, leaves, 36, 9, checkpoints=Checkpoints(1, 0))
    for plan in ((1, 0), (1, 36), (5, 36), (9, 36), (36, 36), (50, 36), (4, 10), (7, 29)):
        for one, other in zip(
            whole, gradients(name, system, leaves, 36, 9, checkpoints=Checkpoints(*plan)), strict=True
        ):
            assert torch.equal(one, other), plan
    assert (whole[0][0, -1] - x0[0]).norm(dim=-1).max() > 0.4  # several skins
    if name == "langevin" and count > 1:
        assert not torch.equal(whole[0][0], whole[0][1])  # each replica has noise of its own


def test_noise_does_not_depend_on_threads_nor_on_precision():
    """Free particles: bit for bit the same for every number of threads, and single follows double."""
    system = make_system(atoms=2, box=10 * CUBIC)
    atoms = 5000  # several blocks of atoms
    system.coefficients.zero_()
    system.topology = Topology.of(np.zeros(atoms), 1)
    system.inverse_mass = torch.linspace(0.5, 2, atoms, dtype=torch.float64)
    x0 = torch.rand((1, atoms, 3), generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 30
    before = torch.get_num_threads()
    try:
        results = {}
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            for dtype in (torch.float64, torch.float32):
                leaves = [x0.to(dtype), torch.zeros_like(x0, dtype=dtype), *leaves_of(system)[2:]]
                results[threads, dtype] = gradients("langevin", system, leaves, 4, 2)
    finally:
        torch.set_num_threads(before)
    for dtype in (torch.float64, torch.float32):
        for threads in (2, 3):
            for index in (0, 1, 2, 3, 5, 6):  # not the coefficients' gradient, a sum over the threads' pairs
                assert torch.equal(results[1, dtype][index], results[threads, dtype][index])
    torch.testing.assert_close(results[1, torch.float32][1].double(), results[1, torch.float64][1], rtol=0, atol=1e-5)


def test_plan_recomputes_no_more_than_memory_asks_for():
    """Short paths are kept whole; long ones stay within memory; without any, about sqrt(24 T) vectors are taken."""
    assert plan_checkpoints(50, 16384 * 12) == (1, 0)
    state = 110_592 * 12
    before = 0
    for memory in (2**31, 2**30, 2**29, 2**28):
        every, recomputed = plan_checkpoints(1000, state, 2, memory)
        vectors = 3 * -(-recomputed // every) + 2 * (every + 1000 - recomputed)
        assert before < recomputed <= 1000 and vectors * state <= memory
        assert vectors * state > 0.85 * memory or recomputed == 1000
        before = recomputed
    every, recomputed = plan_checkpoints(1000, state, 2, 0)
    assert recomputed == 1000 and 3 * -(-1000 // every) + 2 * every < 1.05 * np.sqrt(24 * 1000)
    assert plan_checkpoints(1, 2**40) == (2, 1)


def test_nothing_is_kept_without_a_backward(monkeypatch):
    """A segment without gradients keeps its start and no more."""
    system = make_system(seed=11)
    plans = []

    def spy(*arguments):
        plans.append(tuple(arguments[7]))
        return make_problem(*arguments)

    monkeypatch.setattr("diffpair.segments.segment.make_problem", spy)
    leaves = leaves_of(system)
    run("langevin", system, leaves, 20, 5)
    leaves[3].requires_grad_()
    run("langevin", system, leaves, 20, 5)
    with torch.no_grad():
        run("langevin", system, leaves, 20, 5)
    assert plans == [(20, 20), (1, 0), (20, 20)]


@pytest.mark.parametrize("name", NAMES)
def test_frames_that_the_loss_does_not_see_need_no_gradient(name):
    """A loss of positions alone, or of velocities alone, has the gradient of one that adds nothing of the other."""
    system = make_system(seed=12)
    losses = (
        (lambda x, v: x.sin().sum(), lambda x, v: 0 * v.sum()),
        (lambda x, v: v.sin().sum(), lambda x, v: 0 * x.sum()),
    )
    for alone, nothing in losses:
        one = gradients(name, system, leaves_of(system), 10, 5, alone)
        both = gradients(name, system, leaves_of(system), 10, 5, lambda x, v, a=alone, n=nothing: a(x, v) + n(x, v))
        for got, want in zip(one, both, strict=True):
            assert torch.equal(got, want)
        assert one[2].abs().max() > 0
