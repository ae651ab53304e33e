"""The CUDA kernels, run on the processor (device_arithmetic.py), against the operators of the CPU."""

from __future__ import annotations

import pytest
import torch
from device_arithmetic import CpuOperators, DeviceOperators, compile_library
from systems import CUBIC, TRICLINIC, make_system

from diffpair.segments import LangevinMiddle, NoseHoover, Verlet

KNOTS = 20
SYSTEMS = [
    pytest.param({"num_types": 1}, id="one type"),
    pytest.param({"num_types": 3, "exclusions": 40}, id="three types, exclusions"),
    pytest.param({"num_types": 2, "box": TRICLINIC}, id="triclinic"),
    pytest.param({"num_types": 2, "box": 4 * CUBIC, "atoms": 300}, id="cells"),
    pytest.param({"num_types": 1, "box": 3 * TRICLINIC, "atoms": 300}, id="triclinic cells"),
    pytest.param({"num_types": 1, "atoms": 60, "box": 1.5 * CUBIC, "knots": 400}, id="windows of pieces"),
]
INTEGRATORS = [Verlet(), LangevinMiddle(150.0, 8.0, 2**40 + 17), NoseHoover(150.0, 8.0, 4, 2, 3)]
NAMES = [theta.name for theta in INTEGRATORS]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiled = compile_library(tmp_path_factory.mktemp("device"))
    if compiled is None:
        pytest.skip("there is no g++")
    return compiled


def check_close(results, expected, tolerance: float = 1e-10) -> None:
    for got, want in zip(results, expected, strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        size = float(want.abs().max()) if want.numel() else 1.0
        torch.testing.assert_close(got, want, rtol=0, atol=tolerance * size)


def frames_of(system, dtype) -> tuple:
    """Two frames, the second without a box."""
    inside = system.x - torch.floor(system.x @ system.box.inverse()) @ system.box
    x = torch.stack([system.x if dtype == torch.float64 else inside, inside]).to(dtype)
    t = system.topology
    boxes = torch.stack([system.box, torch.zeros(3, 3, dtype=torch.float64)])
    return x, boxes, t.types, t.exclusions, t.num_types, system.r_min, system.cutoff


@pytest.mark.parametrize("kind", SYSTEMS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_sums_and_forces(library, kind, dtype):
    system = make_system(**kind)
    arguments = frames_of(system, dtype)
    knots = kind.get("knots", KNOTS)
    device, cpu = DeviceOperators(library, team=4), torch.ops.diffpair
    tolerance = 1e-11 if dtype == torch.float64 else 5e-5
    check_close([device.spline_sums(*arguments, knots)], [cpu.spline_sums(*arguments, knots)], tolerance)
    for c in (system.coefficients, torch.stack([system.coefficients, -0.3 * system.coefficients])):
        results, expected = device.pair_forces(*arguments, c), cpu.pair_forces(*arguments, c)
        assert expected[0].abs().max() > 1e-3
        check_close(results, expected, tolerance)


def segment_arguments(theta, seed: int = 3, checkpoints=(5, 13), dtype=torch.float64, **kind):
    """Two replicas in different boxes, fast enough that lists are rebuilt, one atom held."""
    system = make_system(seed=seed, atoms=32, **kind)
    system.inverse_mass[5] = 0
    t = system.topology
    inside = system.x - torch.floor(system.x @ system.box.inverse()) @ system.box
    x0 = torch.stack([system.x if dtype == torch.float64 else inside, 1.05 * inside]).to(dtype)
    v0 = torch.stack([3 * system.v, -2 * system.v]).to(dtype)
    boxes = torch.stack([system.box, 1.05 * system.box])
    tensors = (system.coefficients, theta.bath(2), boxes, t.types, t.exclusions, system.inverse_mass)
    numbers = (t.num_types, system.r_min, system.cutoff, 0.004, 20, 4, *checkpoints, theta.name)
    return x0, v0, *tensors, *numbers, theta.settings(system.inverse_mass)


def loss_gradients(arguments, seed: int = 1) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 5, *arguments[0].shape[1:])
    return [torch.randn(shape, generator=generator, dtype=torch.float64).to(arguments[0].dtype) for _ in range(2)]


def value_and_gradient(operators, arguments):
    x, v, kept, records = operators.segment(*arguments)
    grads = operators.segment_backward(*loss_gradients(arguments), kept, records, *arguments[2:])
    return [x, v, kept, records], list(grads)


@pytest.mark.parametrize("kind", [{"num_types": 1}, {"num_types": 2, "exclusions": 12, "box": TRICLINIC}])
@pytest.mark.parametrize("theta", INTEGRATORS, ids=NAMES)
def test_segment_and_adjoint(library, theta, kind):
    arguments = segment_arguments(theta, **kind)
    moved = CpuOperators().segment(*arguments)[0][:, -1] - arguments[0]
    assert moved.norm(dim=-1).max() > 0.3 and torch.equal(moved[:, 5], torch.zeros(2, 3, dtype=torch.float64))
    expected = value_and_gradient(CpuOperators(), arguments)
    results = value_and_gradient(DeviceOperators(library, team=4), arguments)
    # What is kept of the lists' origins may differ: both build lists when their own rounding says so. Frames may not.
    check_close([*results[0][:2], results[0][3]], [*expected[0][:2], expected[0][3]])
    check_close(results[1], expected[1], 1e-9)
    assert all(z.abs().max() > 1e-3 for z in results[1] if z.numel())


@pytest.mark.parametrize("theta", INTEGRATORS, ids=NAMES)
def test_same_bits_whatever_is_kept_and_again(library, theta):
    device = DeviceOperators(library, team=4)
    whole = value_and_gradient(device, segment_arguments(theta, checkpoints=(1, 0)))
    for checkpoints in ((1, 0), (7, 20), (3, 11)):
        again = value_and_gradient(device, segment_arguments(theta, checkpoints=checkpoints))
        for first, second in zip([*whole[0][:2], *whole[1]], [*again[0][:2], *again[1]], strict=True):
            assert torch.equal(first, second)


@pytest.mark.parametrize("theta", INTEGRATORS, ids=NAMES)
def test_single_precision(library, theta):
    arguments = segment_arguments(theta, dtype=torch.float32, num_types=2)
    expected = value_and_gradient(CpuOperators(), arguments)
    results = value_and_gradient(DeviceOperators(library, team=2), arguments)
    check_close([*results[0][:2], *results[1]], [*expected[0][:2], *expected[1]], 2e-3)


def test_rows_that_are_too_short_are_made_longer(library):
    arguments = segment_arguments(Verlet())
    short, long = DeviceOperators(library, rows=2), DeviceOperators(library)
    for first, second in zip(short.segment(*arguments), long.segment(*arguments), strict=True):
        assert torch.equal(first, second)
    assert short.attempts > 1 and long.attempts == 1


@pytest.mark.parametrize("atoms", [0, 1, 2])
def test_tiny_systems(library, atoms):
    types, none = torch.zeros(atoms, dtype=torch.int32), torch.empty((0, 2), dtype=torch.int32)
    x = torch.arange(3.0 * atoms, dtype=torch.float64).reshape(1, atoms, 3) * 0.2
    arguments = (x, 4 * torch.eye(3, dtype=torch.float64)[None], types, none, 1, 0.7, 1.6, KNOTS)
    sums = DeviceOperators(library).spline_sums(*arguments)
    assert float(sums.sum()) == pytest.approx(float(atoms == 2), abs=1e-12)


def test_positions_that_are_not_finite_are_refused(library):
    arguments = list(segment_arguments(Verlet()))
    arguments[0][1, 3, 2] = torch.inf
    with pytest.raises(ValueError, match="coordinates of a particle are not finite"):
        DeviceOperators(library).segment(*arguments)
