"""Every integrator's segment and adjoint: against plain torch, finite differences, and itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Pairs, langevin_theta, nose_hoover_theta, philox, trajectory
from systems import CUBIC, TRICLINIC, SmallSystem, make_system

from diffpair.segments import LangevinMiddle, NoseHoover, Topology, Verlet, checkpoint_interval, run_segment

DT = 0.004
SEED = 2**40 + 17
NAMES = ["verlet", "langevin", "nose-hoover"]
LEAVES = ["x0", "v0", "coefficients", "temperature", "rate"]


def make_integrator(name: str, temperature, rate):
    """The baths are strong: temperature and rate then matter within a few steps."""
    if name == "verlet":
        return Verlet()
    if name == "langevin":
        return LangevinMiddle(temperature, rate, SEED)
    return NoseHoover(temperature, rate, chain_length=4, num_mts=2, num_yoshida_suzuki=3)


def leaves_of(system: SmallSystem, temperature: float = 150.0, rate: float = 8.0) -> list[torch.Tensor]:
    numbers = [torch.tensor(z, dtype=torch.float64) for z in (temperature, rate)]
    return [z.clone() for z in (system.x[None], system.v[None], system.coefficients, *numbers)]


def run(name: str, system: SmallSystem, leaves, steps: int, every: int, **more):
    x0, v0, coefficients, temperature, rate = leaves
    arguments = system.segment_arguments() | {"boxes": system.box.expand(len(x0), 3, 3).contiguous()} | more
    integrator = make_integrator(name, temperature, rate)
    return run_segment(
        x0, v0, coefficients, timestep=DT, steps=steps, frame_every=every, integrator=integrator, **arguments
    )


def random_loss(x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """A smooth functional of all frames, positions and velocities, that also sees the temperature."""
    generator = torch.Generator().manual_seed(1)
    wx, wv = (torch.randn(x.shape, generator=generator, dtype=torch.float64) for _ in range(2))
    return (wx * torch.sin(x)).sum() + (wv * v).sum() + (v * x).sum() * 0.1 + (v * v).sum()


LOSSES = {"positions": lambda x, v: random_loss(x, 0 * v), "velocities": lambda x, v: random_loss(0 * x, v)}


def gradients(name: str, system: SmallSystem, leaves, steps: int, every: int, loss=random_loss, **more):
    """Frames, and gradients of all leaves (zeros for those that an integrator does not have)."""
    leaves = [z.clone().requires_grad_() for z in leaves]
    x, v = run(name, system, leaves, steps, every, **more)
    grads = torch.autograd.grad(loss(x.double(), v.double()), leaves, allow_unused=True, materialize_grads=True)
    return x.detach(), v.detach(), *grads


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


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_same_bits_twice_and_wherever_the_checkpoints_are(name, count, dtype):
    """Fast atoms rebuild the list within the blocks; neither frames nor gradients notice where the run was cut."""
    system = make_system(seed=9, num_types=2)
    x = system.x - torch.floor(system.x @ system.box.inverse()) @ system.box
    x0 = x.expand(count, -1, -1).to(dtype).contiguous()
    leaves = [x0, (3 * system.v).expand_as(x0).to(dtype), *leaves_of(system)[2:]]
    whole = gradients(name, system, leaves, 36, 9, checkpoint_every=0)
    for checkpoint_every in (0, 1, 5, 9, 36, 50):
        for one, other in zip(
            whole, gradients(name, system, leaves, 36, 9, checkpoint_every=checkpoint_every), strict=True
        ):
            assert torch.equal(one, other), checkpoint_every
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


def test_checkpoint_interval():
    """Short paths are kept whole; of long ones about sqrt(6 T) vectors, always a block that fits the steps."""
    assert checkpoint_interval(50, 16384 * 12) == 0
    every = checkpoint_interval(1000, 110_592 * 12)
    kept = 3 * -(-1000 // every) + 2 * every
    assert kept < 1.05 * np.sqrt(24 * 1000) and kept * 110_592 * 12 < 250e6
    assert checkpoint_interval(1, 2**40) >= 1


def test_nothing_is_kept_without_a_backward(monkeypatch):
    """A segment without gradients keeps its start and no more."""
    system = make_system(seed=11)
    intervals = []
    operator = torch.ops.diffpair.segment

    def spy(*arguments):
        intervals.append(arguments[-3])
        return operator(*arguments)

    monkeypatch.setattr(torch.ops.diffpair, "segment", spy)
    leaves = leaves_of(system)
    run("langevin", system, leaves, 20, 5)
    leaves[3].requires_grad_()
    run("langevin", system, leaves, 20, 5)
    with torch.no_grad():
        run("langevin", system, leaves, 20, 5)
    assert intervals == [20, 0, 20]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LangevinMiddle(-1.0, 1.0, 0), "temperature of an integrator must be positive, not -1"),
        (lambda: LangevinMiddle(300.0, 0.0, 0), "friction of an integrator must be positive, not 0"),
        (lambda: LangevinMiddle(300.0, 1.0, 2**63), "seed of LangevinMiddle must be an integer of 64 bits"),
        (lambda: NoseHoover(torch.tensor([300.0, float("nan")]), 1.0), "temperature of an integrator .* not nan"),
        (lambda: NoseHoover(300.0, float("inf")), "collision frequency of an integrator must be positive, not inf"),
        (lambda: NoseHoover(300.0, 1.0, chain_length=0), "chain_length of NoseHoover must be at least 1, not 0"),
        (lambda: NoseHoover(300.0, 1.0, num_yoshida_suzuki=2), "weights must be 1, 3, 5 or 7, not 2"),
        (lambda: NoseHoover(torch.ones(3), 1.0), "one for each of the 1 replicas, not of shape \\(3,\\)"),
    ],
)
def test_refusals(make, message):
    system = make_system(atoms=4)
    with pytest.raises(ValueError, match=message):
        run_segment(
            system.x[None], system.v[None], system.coefficients, timestep=DT, steps=1, frame_every=1, integrator=make(),
            **system.segment_arguments(),
        )  # fmt: skip


def test_operator_refuses_what_python_did_not_make():
    system = make_system(atoms=4)
    t = system.topology
    rest = (system.box[None], t.types, t.exclusions, system.inverse_mass, 1, system.r_min, system.cutoff, DT, 2, 1)
    for bath, name, numbers, message in (
        (torch.ones(1, 2), "brownian", [], "no integrator 'brownian'"),
        (torch.ones(1, 2), "langevin-middle", [], "has 1 settings, not 0"),
        (torch.ones(1, 0), "langevin-middle", [1], "bath must have the shape"),
        (-torch.ones(1, 2), "langevin-middle", [1], "temperature of a heat bath must be positive"),
        (torch.ones(1, 2), "nose-hoover", [0, 3, 3, 7], "at least one degree of freedom"),
        (torch.ones(1, 2), "nose-hoover", [3, 3, 3, 4], "must be 1, 3, 5 or 7, not 4"),
    ):
        with pytest.raises((RuntimeError, ValueError), match=message):
            torch.ops.diffpair.segment(
                system.x[None], system.v[None], system.coefficients, bath.double(), *rest, 0, name, numbers
            )
