"""Spline sums, forces and tabulation against plain torch, finite differences and answers known on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from oracle import Pairs, basis
from systems import CUBIC, TRICLINIC, make_system

from diffpair.segments import Topology

KNOTS = 20
SYSTEMS = [
    pytest.param({"num_types": 1}, id="one type"),
    pytest.param({"num_types": 3}, id="three types"),
    pytest.param({"num_types": 2, "exclusions": 40}, id="exclusions"),
    pytest.param({"num_types": 2, "box": TRICLINIC}, id="triclinic"),
    pytest.param({"num_types": 1, "box": 4 * CUBIC, "atoms": 300}, id="cells"),
    pytest.param({"num_types": 1, "box": 3 * TRICLINIC, "atoms": 300}, id="triclinic cells"),
]


def oracle_of(system) -> Pairs:
    t = system.topology
    return Pairs(t.types, t.num_types, t.exclusions, system.box)


def grid_arguments(system) -> tuple:
    t = system.topology
    return (system.box[None], t.types, t.exclusions, t.num_types, system.r_min, system.cutoff)


@pytest.mark.parametrize("kind", SYSTEMS)
def test_spline_sums_equal_oracle(kind):
    system = make_system(**kind)
    sums = torch.ops.diffpair.spline_sums(system.x[None], *grid_arguments(system), KNOTS)
    rows = sums.shape[1]
    expected = oracle_of(system).spline_sums(system.x, rows, system.r_min, system.cutoff, KNOTS)
    assert expected.abs().max() > 1
    torch.testing.assert_close(sums[0], expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", SYSTEMS)
@pytest.mark.parametrize("single", [False, True])
def test_frame_sums_equal_spline_sums_of_every_grid(kind, single):
    """Several grids over one list, the widest one neither first nor last; far outside the box in float32, too."""
    system = make_system(**kind)
    _, types, exclusions, num_types, _, reach = grid_arguments(system)
    x = torch.stack([system.x, system.x + 50 * system.box[0] - 30 * system.box[1]])
    boxes = system.box.expand(2, 3, 3).contiguous()
    grids = [(0.3 * reach, 0.7 * reach, 12), (0.2 * reach, reach, 25), (0.4 * reach, 0.9 * reach, 18)]
    found = torch.ops.diffpair.frame_sums(x, boxes, types, exclusions, num_types, *zip(*grids, strict=True), single)
    for sums, grid in zip(found, grids, strict=True):
        expected = torch.ops.diffpair.spline_sums(x, boxes, types, exclusions, num_types, *grid)
        assert expected.abs().max() > 1
        # a pair within rounding of the cutoff counts or does not: the last three coefficients, 0 in every table
        tolerance = {"rtol": 1e-5, "atol": 1e-4} if single else {"rtol": 1e-12, "atol": 1e-12}
        torch.testing.assert_close(sums[..., :-3], expected[..., :-3], **tolerance)
        assert single == bool((sums != expected).any())


@pytest.mark.parametrize("kind", SYSTEMS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_forces_energy_virial_equal_oracle(kind, dtype):
    system = make_system(**kind)
    # Wrapped, as single precision wants it; double precision is tested far outside the box.
    x = system.x if dtype == torch.float64 else system.x - torch.floor(system.x @ system.box.inverse()) @ system.box
    forces, energy, virial = torch.ops.diffpair.pair_forces(
        x[None].to(dtype), *grid_arguments(system), system.coefficients
    )
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    x_oracle = x.clone().requires_grad_()
    pairs = oracle_of(system)
    expected = pairs.energy(x_oracle, system.coefficients, system.r_min, system.cutoff)
    (slope,) = torch.autograd.grad(expected, x_oracle)
    pairs.box = system.box * scale
    stretched = pairs.energy(x * scale, system.coefficients, system.r_min, system.cutoff)
    (stretch,) = torch.autograd.grad(stretched, scale)  # dE/d(ln L) = -sum r . F
    tolerance = 1e-11 if dtype == torch.float64 else 2e-5
    size = slope.pow(2).mean().sqrt()
    assert (forces[0].double() + slope).abs().max() < tolerance * 10 * size
    torch.testing.assert_close(energy[0], expected.detach(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(virial[0], -stretch, rtol=tolerance * 10, atol=tolerance)


def test_forces_are_the_gradient_of_the_energy():
    system = make_system(num_types=2, box=TRICLINIC, exclusions=10)
    arguments = (*grid_arguments(system), system.coefficients)
    forces, _, _ = torch.ops.diffpair.pair_forces(system.x[None], *arguments)
    step = 1e-5 * forces / forces.norm()
    energy = [torch.ops.diffpair.pair_forces(system.x[None] + s * step, *arguments)[1] for s in (1, -1)]
    assert float(energy[0] - energy[1]) / 2e-5 == pytest.approx(-float(forces.norm()), rel=1e-7)


def test_coincident_particles_feel_no_force():
    topology = Topology.of([0, 0, 0], 1)
    system = make_system(atoms=3)
    x = torch.tensor([[[0.0, 0, 0], [0, 0, 0], [50, 0, 0]]], dtype=torch.float64)
    forces, energy, _ = torch.ops.diffpair.pair_forces(
        x,
        torch.zeros(1, 3, 3, dtype=torch.float64),
        topology.types,
        topology.exclusions,
        1,
        0.7,
        1.6,
        system.coefficients,
    )
    assert torch.equal(forces, torch.zeros_like(forces))
    expected = basis(torch.zeros(1, dtype=torch.float64), 0.7, 1.6, KNOTS) @ system.coefficients[0]
    assert float(energy) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("r", [0.3, 0.7, 0.7 + 5 * 0.9 / 19, 1.1, 1.6 - 1e-9, 1.6, 1.7])
def test_special_distances(r):
    """Below r_min, on r_min, on a knot, just inside, on and beyond the cutoff."""
    system = make_system(atoms=2)
    x = torch.tensor([[[0.0, 0, 0], [r, 0, 0]]], dtype=torch.float64)
    box = torch.zeros(1, 3, 3, dtype=torch.float64)
    types, none = torch.zeros(2, dtype=torch.int32), torch.empty((0, 2), dtype=torch.int32)
    forces, energy, _ = torch.ops.diffpair.pair_forces(x, box, types, none, 1, 0.7, 1.6, system.coefficients)
    at = torch.tensor([r], dtype=torch.float64, requires_grad=True)
    expected = (basis(at, 0.7, 1.6, KNOTS) @ system.coefficients[0]).sum()
    (slope,) = torch.autograd.grad(expected, at)
    assert float(energy) == pytest.approx(float(expected.detach()), rel=1e-11, abs=1e-16)
    assert float(forces[0, 1, 0]) == pytest.approx(-float(slope), rel=1e-9, abs=1e-13)
    assert torch.equal(forces[0, 0], -forces[0, 1])


@pytest.mark.parametrize("atoms", [0, 1, 2])
def test_tiny_systems(atoms):
    types, none = torch.zeros(atoms, dtype=torch.int32), torch.empty((0, 2), dtype=torch.int32)
    x = torch.arange(3.0 * atoms, dtype=torch.float64).reshape(1, atoms, 3) * 0.2
    box = torch.eye(3, dtype=torch.float64)[None] * 4
    sums = torch.ops.diffpair.spline_sums(x, box, types, none, 1, 0.7, 1.6, KNOTS)
    assert float(sums.sum()) == pytest.approx(float(atoms == 2), abs=1e-12)  # B-splines sum to 1


def test_interpolation_reproduces_values_and_ends():
    r_min, cutoff, knots = 0.5, 1.5, 40
    nodes = torch.linspace(r_min, cutoff, knots, dtype=torch.float64)
    values = torch.stack([torch.cos(3 * nodes) * (cutoff - nodes) ** 3, (cutoff - nodes) ** 4])
    c = torch.ops.diffpair.interpolate_table(values, r_min, cutoff)
    spline = basis(nodes, r_min, cutoff, knots) @ c.T
    torch.testing.assert_close(spline.T[:, : knots - 2], values[:, : knots - 2], rtol=1e-12, atol=1e-13)
    assert torch.equal(c[:, -3:], torch.zeros(2, 3, dtype=torch.float64))
    assert (c[:, 0] - 2 * c[:, 1] + c[:, 2]).abs().max() < 1e-12  # natural end at r_min


def test_interpolation_gradient_is_its_transpose():
    values = torch.randn(2, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: torch.ops.diffpair.interpolate_table(v, 0.4, 1.2), (values,))
    assert torch.autograd.gradgradcheck(lambda v: torch.ops.diffpair.interpolate_table(v, 0.4, 1.2), (values,))


def test_switching_is_smooth_and_bounded():
    r = torch.linspace(0.5, 1.3, 801, dtype=torch.float64)
    s = torch.ops.diffpair.switching(r, 1.2, 0.3).numpy()
    assert np.all(s[r <= 0.9] == 1) and np.all(s[r >= 1.2] == 0)
    assert np.all(np.diff(s) <= 1e-15)
    assert abs(np.diff(s, 2)).max() < 7e-5 / 0.09 * 1.01  # |s''| <= 10/sqrt(3)/w^2, no kinks


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"types": torch.tensor([0, 0, 5], dtype=torch.int32)}, "Particle 2 has type 5"),
        ({"cutoff": 2.6}, "beyond half the periodic box"),
        ({"exclusions": torch.tensor([[0, 9]], dtype=torch.int32)}, r"exclusion \(0, 9\)"),
        ({"knots": 3}, "at least 5 knots"),
        ({"knots": 2**32 + 10}, r"must be below 2\^31, but is 4294967306"),
        ({"num_types": 65536}, "1 to 4096 types, not 65536"),
        ({"cutoff": 1e160, "boxes": torch.zeros(1, 3, 3).double()}, r"from 1e-06 to 1e\+06 nm, but is 1e\+160"),
        ({"boxes": torch.full((1, 3, 3), math.inf).double()}, "component 0 of vector a is inf"),
        ({"x": torch.full((1, 3, 3), 1e110, dtype=torch.float64)}, "coordinates"),
        ({"x": torch.full((1, 3, 3), math.inf)}, "coordinates"),
        ({"x": torch.zeros(1, 4, 3)}, r"N = 3"),
        ({"x": torch.zeros(1, 3, 3, dtype=torch.int64)}, "float32 or float64"),
    ],
)
def test_refusals(change, message):
    arguments = {
        "x": torch.zeros(1, 3, 3),
        "boxes": 5 * torch.eye(3, dtype=torch.float64)[None],
        "types": torch.zeros(3, dtype=torch.int32),
        "exclusions": torch.empty((0, 2), dtype=torch.int32),
        "num_types": 1,
        "r_min": 0.5,
        "cutoff": 2.0,
        "knots": 10,
    } | change
    with pytest.raises((RuntimeError, ValueError), match=message):
        torch.ops.diffpair.spline_sums(*arguments.values())
