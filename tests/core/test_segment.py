"""The segment and its adjoint with Verlet: against plain torch and itself. All integrators: test_integrators.py."""

from __future__ import annotations

import pytest
import torch
from oracle import Pairs, trajectory
from systems import TRICLINIC, make_system

from diffpair.segments import run_segment

DT = 0.004
KINDS = [
    pytest.param({"num_types": 1}, id="one type"),
    pytest.param({"num_types": 2, "exclusions": 12}, id="two types, exclusions"),
    pytest.param({"num_types": 2, "box": TRICLINIC}, id="triclinic"),
]


def random_loss(seed: int):
    """A smooth functional of all frames, positions and velocities, with O(1) gradients."""
    weights = {}

    def loss(x, v):
        key = tuple(x.shape)
        if key not in weights:
            generator = torch.Generator().manual_seed(seed)
            weights[key] = [torch.randn(x.shape, generator=generator, dtype=torch.float64) for _ in range(2)]
        wx, wv = weights[key]
        return (wx * torch.sin(x)).sum() + (wv * v).sum() + (v * x).sum() * 0.1

    return loss


@pytest.mark.parametrize("kind", KINDS)
def test_trajectory_and_gradient_equal_plain_torch(kind):
    system = make_system(seed=3, **kind)
    t = system.topology
    steps, every = 12, 4
    leaves = [z.clone().requires_grad_() for z in (system.x, system.v, system.coefficients)]
    x, v = run_segment(
        leaves[0][None],
        leaves[1][None],
        leaves[2],
        timestep=DT,
        steps=steps,
        frame_every=every,
        **system.segment_arguments(),
    )
    loss = random_loss(1)
    grads = torch.autograd.grad(loss(x, v), leaves)

    pairs = Pairs(t.types, t.num_types, t.exclusions, system.box)
    slow = [z.clone().requires_grad_() for z in leaves]
    xs, vs = trajectory(pairs, *slow, system.r_min, system.cutoff, system.inverse_mass, DT, steps)
    torch.testing.assert_close(x[0], xs[every - 1 :: every], rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(v[0], vs[every - 1 :: every], rtol=1e-9, atol=1e-9)
    expected = torch.autograd.grad(loss(xs[every - 1 :: every][None], vs[every - 1 :: every][None]), slow)
    for got, want in zip(grads, expected, strict=True):
        assert want.abs().max() > 1e-3
        torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-8 * float(want.abs().max()))


def replicas(system, count: int, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    v0 = system.v + 0.3 * torch.randn((count, *system.v.shape), generator=generator, dtype=torch.float64)
    # Wrapped: single precision should not spend its digits on whole boxes.
    x = system.x - torch.floor(system.x @ system.box.inverse()) @ system.box
    return x.expand(count, -1, -1).to(dtype).contiguous(), v0.to(dtype)


def run(system, x0, v0, steps=40, every=8):
    leaves = [x0.clone().requires_grad_(), v0.clone().requires_grad_(), system.coefficients.clone().requires_grad_()]
    arguments = system.segment_arguments() | {"boxes": system.box.expand(len(x0), 3, 3).contiguous()}
    x, v = run_segment(*leaves, timestep=DT, steps=steps, frame_every=every, **arguments)
    return x, v, *torch.autograd.grad(random_loss(4)(x.double(), v.double()), leaves)


def test_replicas_are_independent():
    system = make_system(seed=7, num_types=2)
    x0, v0 = replicas(system, 3)
    together = run(system, x0, v0)
    for i in range(3):
        alone = run(system, x0[i : i + 1], v0[i : i + 1])
        torch.testing.assert_close(together[0][i], alone[0][0], rtol=0, atol=1e-10)
        torch.testing.assert_close(together[1][i], alone[1][0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("count", [1, 5])
def test_same_bits_twice_and_rounding_between_thread_counts(dtype, count):
    system = make_system(seed=8, atoms=40, num_types=2)
    x0, v0 = replicas(system, count, dtype)
    results = {}
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results[threads] = run(system, x0, v0)
            for first, second in zip(results[threads], run(system, x0, v0), strict=True):
                assert torch.equal(first, second)
    finally:
        torch.set_num_threads(before)
    tolerance = 1e-10 if dtype == torch.float64 else 2e-3
    for threads in (2, 3):
        for one, many in zip(results[1], results[threads], strict=True):
            assert (one - many).abs().max() <= tolerance * one.abs().max()


def test_single_precision_follows_double():
    system = make_system(seed=9, num_types=2)
    double, single = (
        run(system, *replicas(system, 2, dtype), steps=20, every=5) for dtype in (torch.float64, torch.float32)
    )
    for exact, rough in zip(double, single, strict=True):
        assert (exact - rough.double()).abs().max() < 1e-3 * exact.abs().max()


def test_adjoint_is_exact_across_checkpoints_and_list_rebuilds():
    """Fast atoms force list rebuilds inside checkpoint blocks; the frames must not notice how the run was cut."""
    system = make_system(seed=11)
    system.v *= 4
    x0, v0 = system.x[None], system.v[None]
    whole = run(system, x0, v0, steps=60, every=10)
    first = run(system, x0, v0, steps=30, every=10)
    second = run(system, first[0][:, -1].detach(), first[1][:, -1].detach(), steps=30, every=10)
    torch.testing.assert_close(whole[0], torch.cat([first[0], second[0]], dim=1), rtol=0, atol=1e-9)
    assert (whole[0][0, -1] - system.x).norm(dim=-1).max() > 0.5  # many skins


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "at least one step"),
        ({"frame_every": 3}, "frame interval that divides"),
        ({"timestep": -0.1}, "time step of a segment must be positive"),
        ({"cutoff": 1.8}, "beyond half the periodic box"),
        ({"inverse_mass": torch.ones(3, dtype=torch.float64)}, "inverse_mass must have the shape"),
        ({"boxes": torch.ones(1, 3, 3, dtype=torch.float64)}, "reduced form"),
    ],
)
def test_refusals(change, message):
    system = make_system()
    arguments = {"timestep": DT, "steps": 10, "frame_every": 5} | system.segment_arguments() | change
    with pytest.raises((RuntimeError, ValueError), match=message):
        run_segment(system.x[None], system.v[None], system.coefficients, **arguments)
