"""Every integrator's segment and adjoint: against plain torch, finite differences, and itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Pairs, langevin_theta, nose_hoover_theta, philox, trajectory
from segment_runs import DT, LEAVES, NAMES, SEED, gradients, leaves_of, random_loss, run
from systems import CUBIC, TRICLINIC, SmallSystem, make_system

from diffpair.segments import Topology

LOSSES = {"positions": lambda x, v: random_loss(x, 0 * v), "velocities": lambda x, v: random_loss(0 * x, v)}


SYSTEMS = [
    pytest.param({"num_types": 1}, id="one type"),
    pytest.param({"num_types": 2, "exclusions": 12}, id="two types, exclusions"),
    pytest.param({"num_types": 3, "box": TRICLINIC}, id="three types, triclinic"),
]


def test_oracles_generator_gives_the_published_numbers():
    """The known answers that Random123 publishes for Philox4x32-10; the oracle's noise is then the operator's."""
    assert philox((0, 0, 0, 0), 0) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox((2**32 - 1,) * 4, 2**64 - 1) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert philox(pi, 0x299F31D0A4093822) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


def check_against_plain_torch(name: str, system: SmallSystem, steps: int, every: int) -> None:
    leaves = leaves_of(system)
    x, v, *grads = gradients(name, system, leaves, steps, every)
    x0, v0, c, temperature, rate = slow = [z.clone().requires_grad_() for z in leaves]
    t = system.topology
    theta = {
        "verlet": None,
        "langevin": langevin_theta(temperature, rate, SEED, system.inverse_mass, DT),
        "nose-hoover": nose_hoover_theta(temperature, rate, system.inverse_mass, DT, 4, 2, 3),
    }[name]
    pairs = Pairs(t.types, t.num_types, t.exclusions, system.box)
    xs, vs = trajectory(pairs, x0[0], v0[0], c, system.r_min, system.cutoff, system.inverse_mass, DT, steps, theta)
    xs, vs = xs[None, every - 1 :: every], vs[None, every - 1 :: every]
    torch.testing.assert_close(x, xs, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(v, vs, rtol=1e-8, atol=1e-8)
    expected = torch.autograd.grad(random_loss(xs, vs), slow, allow_unused=True, materialize_grads=True)
    for leaf, got, want in zip(LEAVES, grads, expected, strict=True):
        # Two atoms may be too far apart to see the table, and Verlet has no bath.
        assert want.abs().max() > 1e-6 or leaf == "coefficients" or (name == "verlet" and leaf in LEAVES[3:])
        torch.testing.assert_close(got, want, rtol=1e-7, atol=1e-8 * (1e-3 + float(want.abs().max())))


@pytest.mark.parametrize("kind", SYSTEMS[1:])
@pytest.mark.parametrize("name", NAMES[1:])
def test_trajectory_and_gradient_equal_plain_torch(name, kind):
    check_against_plain_torch(name, make_system(seed=3, atoms=24, **kind), 12, 4)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 10**6),
    atoms=st.integers(2, 20),
    num_types=st.integers(1, 3),
    skew=st.floats(-1, 1),
    exclusions=st.integers(0, 10),
    steps=st.sampled_from([1, 3, 6]),
)
def test_any_system_equals_plain_torch(name, seed, atoms, num_types, skew, exclusions, steps):
    """Random boxes, masses, types, tables, exclusions and starts."""
    box = np.array([[3.5, 0, 0], [1.5 * skew, 3.6, 0], [-1.2 * skew, 1.1 * skew, 3.7]])
    system = make_system(seed=seed, atoms=atoms, num_types=num_types, box=box, exclusions=exclusions)
    check_against_plain_torch(name, system, steps, steps)


def check_by_finite_differences(value, leaves, index: int, gradient: torch.Tensor, h: float, rel: float = 1e-6) -> None:
    """One directional derivative along the gradient checks the whole of it; fourth-order central differences."""
    size = float(gradient.norm())
    total = 0.0
    for shift, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
        moved = [z.clone() for z in leaves]
        moved[index] += shift * h * gradient / size
        total += weight * float(value(moved))
    assert size > 1e-5
    assert total / (12 * h) == pytest.approx(size, rel=rel)


@pytest.mark.parametrize("loss", list(LOSSES))
@pytest.mark.parametrize("kind", SYSTEMS)
@pytest.mark.parametrize("name", NAMES)
def test_adjoint_equals_finite_differences(name, kind, loss):
    """50 steps in double precision, 1e-6 relative, for everything a gradient can be taken to."""
    system = make_system(seed=5, **kind)
    leaves = leaves_of(system)
    _, _, *grads = gradients(name, system, leaves, 50, 5, LOSSES[loss])
    # The third derivative of the table jumps at its knots, and chaos widens a step a hundred times.
    steps = (1e-7, 1e-6, 2e-6, 1e-2, 1e-5)
    for index in range(5 if name != "verlet" else 3):
        check_by_finite_differences(
            lambda moved: LOSSES[loss](*run(name, system, moved, 50, 5)), leaves, index, grads[index], steps[index]
        )


@pytest.mark.parametrize("name", NAMES)
def test_adjoint_equals_finite_differences_at_108_atoms(name):
    system = make_system(seed=6, atoms=108, num_types=2, box=1.5 * CUBIC, exclusions=20)
    leaves = leaves_of(system)
    _, _, *grads = gradients(name, system, leaves, 20, 10)
    for index, h in ((0, 1e-7), (2, 2e-6), (3, 1e-2), (4, 1e-4))[: 2 if name == "verlet" else 4]:
        check_by_finite_differences(
            lambda moved: random_loss(*run(name, system, moved, 20, 10)), leaves, index, grads[index], h
        )


@pytest.mark.parametrize("name", NAMES)
def test_gradcheck(name):
    """torch's own comparison, of the whole Jacobian, on a few atoms."""
    system = make_system(seed=7, atoms=4, knots=6, box=TRICLINIC)
    leaves = [z.requires_grad_() for z in leaves_of(system)[: 5 if name != "verlet" else 3]]

    def frames(*inputs):
        padded = [*inputs, *leaves_of(system)[len(inputs) :]]
        return run(name, system, padded, 6, 3)

    assert torch.autograd.gradcheck(frames, leaves, atol=1e-7, rtol=1e-6)


def test_one_temperature_and_rate_for_each_replica():
    """Replicas with baths of their own are as single runs, and each gets its own gradient."""
    system = make_system(seed=8)
    x0, v0 = system.x.expand(3, -1, -1).contiguous(), system.v.expand(3, -1, -1).contiguous()
    temperature = torch.tensor([80.0, 150.0, 300.0], dtype=torch.float64)
    rate = torch.tensor([2.0, 8.0, 20.0], dtype=torch.float64)
    together = gradients("nose-hoover", system, [x0, v0, system.coefficients, temperature, rate], 10, 5)

    def single_loss(r):  # random_loss draws its weights for three replicas
        def loss(x, v):
            pad = [torch.zeros(3, *x.shape[1:], dtype=torch.float64) for _ in range(2)]
            pad[0][r], pad[1][r] = x[0], v[0]
            return random_loss(*pad)

        return loss

    for r in range(3):
        leaves = [x0[:1], v0[:1], system.coefficients, temperature[r], rate[r]]
        alone = gradients("nose-hoover", system, leaves, 10, 5, single_loss(r))
        for index in (0, 1, 2, 3, 5, 6):
            torch.testing.assert_close(together[index][r], alone[index].reshape(together[index][r].shape))


def test_pairs_cross_the_cutoff_and_r_min_within_a_segment():
    """Two atoms fly apart through the cutoff, two collide below r_min: frames and gradients stay exact."""
    system = make_system(seed=10, atoms=4, box=2 * CUBIC)
    far = torch.tensor([3.0, 0, 0])
    pair = torch.tensor([[0.0, 0, 0], [1.45, 0.1, 0]])
    system.x = torch.cat([pair, far + torch.tensor([[0.0, 0, 0], [0.95, 0.05, 0]])]).double()
    system.v = torch.tensor([[-3.0, 0, 0.2], [3.0, 0.1, 0], [9.0, 0, 0], [-9.0, 0, 0]]).double()
    system.topology = Topology.of([0] * 4, 1)
    leaves = leaves_of(system)
    x = run("verlet", system, leaves, 12, 1)[0][0]
    apart, together = (x[:, 0] - x[:, 1]).norm(dim=-1), (x[:, 2] - x[:, 3]).norm(dim=-1)
    assert apart[0] < system.cutoff < apart[-1] and together[0] > system.r_min > together.min()
    for name in NAMES:
        check_against_plain_torch(name, system, 12, 3)
