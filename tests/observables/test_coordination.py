"""Coordination numbers against counting with mdtraj and loops, and against the integral of g(r)."""

from __future__ import annotations

import mdtraj
import numpy as np
import pytest
import torch
from argon import trajectory_of
from images import excluded_pairs, gas, neighbours
from systems import CUBIC, TRICLINIC, make_system

from diffpair.errors import DiffPairError
from diffpair.observables.coordination import coordination_numbers
from diffpair.observables.smooth_rdf import SmoothRdf
from diffpair.segments import Topology

KINDS = [
    pytest.param({"num_types": 1}, id="one type"),
    pytest.param({"num_types": 2, "exclusions": 40, "box": TRICLINIC}, id="two types, exclusions, triclinic"),
    pytest.param({"num_types": 3, "exclusions": 10}, id="three types"),
]


def switch(r, radius, width):
    """The unit step at `radius` smeared by the quadratic B-spline of support `width`, integrated numerically."""
    u = np.linspace(-1.5, 1.5, 30001)
    kernel = np.where(abs(u) < 0.5, 0.75 - u**2, 0.5 * (1.5 - abs(u)) ** 2)
    inside = r + u * width / 3 < radius
    return np.trapezoid(kernel * inside, u)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_loops_over_all_images(kind):
    system = make_system(**kind)
    topology, width, radii = system.topology, 0.3, [1.0, 1.1, 1.2, 1.3]
    ours = coordination_numbers(system.x[None], system.box[None], topology, 1.0, width, 4)[0].numpy()
    types, kinds = topology.types.numpy(), topology.num_types
    expected = np.zeros_like(ours)
    near = neighbours(system.x.numpy(), system.box.numpy(), 1.5, excluded_pairs(topology.exclusions))
    for i, around in near.items():
        for j, r, _ in around:
            for k, radius in enumerate(radii):
                expected[types[i], types[j], k] += switch(r, radius, width)
    expected /= np.bincount(types, minlength=kinds)[:, None, None]
    assert expected[:, :, -1].min() > 0.1
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("box", [CUBIC, TRICLINIC], ids=["rectangular", "triclinic"])
def test_becomes_counting_with_mdtraj(box):
    """A narrow switch: the numbers of mdtraj.compute_neighbors, pairs at any distance however short included."""
    x = gas(3, 80, box, seed=4).astype(np.float32)
    trajectory = trajectory_of(x, box)
    types = np.arange(80) % 2
    ours = coordination_numbers(
        torch.from_numpy(x), torch.from_numpy(box).expand(3, 3, 3), Topology.of(types, 2), 1.3, 8e-6
    )
    for frame in range(3):
        counts = np.zeros((2, 2))
        for i in range(80):
            around = mdtraj.compute_neighbors(trajectory[frame], 1.3, np.array([i]))[0]
            for b in (0, 1):
                counts[types[i], b] += (types[around] == b).sum()
        np.testing.assert_allclose(ours[frame, :, :, 0].numpy(), counts / 40, atol=1e-6)


def test_is_the_integral_of_the_rdf():
    """n_ab(R) = N_b/V times the integral of g_ab over the sphere, bin by bin of the smooth RDF."""
    box = np.diag([4.0, 4.0, 4.0])
    topology = Topology.of(np.arange(60) % 3 // 2, 2)
    x, boxes = torch.from_numpy(gas(4, 60, box)), torch.from_numpy(box).expand(4, 3, 3).contiguous()
    bins, width = 30, 0.06
    rdf = SmoothRdf(width / 2, width, bins, topology)
    # all pairs that the window's bins hold, each bin ending at an edge R; those that reach r < 0 are in the first
    pairs = rdf.counts(x, boxes).cumsum(-1)
    n = coordination_numbers(x, boxes, topology, width, 3 * width, bins)
    around = torch.bincount(topology.types)
    for a, b, row in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        growth = n[:, a, b].diff(dim=-1) * around[a] / (2 if a == b else 1)
        torch.testing.assert_close(growth, pairs[:, row].diff(dim=-1), rtol=1e-9, atol=1e-9)
    volumes = 4 / 3 * np.pi * (width * np.arange(1, bins + 1)) ** 3 * 20 / 64
    found, noise = n[:, 0, 1, -1].mean(), np.sqrt(volumes[-1] / (40 * 4))
    assert abs(float(found) - volumes[-1]) < 5 * noise, "an ideal gas"


@pytest.mark.parametrize("r", [0.01, 0.3, 0.79, 0.8 + 0.1, 0.95, 1.0, 1.05, 1.199, 1.2, 1.5])
def test_the_switch(r):
    """One pair: 1, the switch or 0, seen from both atoms."""
    x = torch.tensor([[[0.0, 0, 0], [r, 0, 0]]], dtype=torch.float64)
    n = coordination_numbers(x, 5 * torch.eye(3, dtype=torch.float64)[None], Topology.of([0, 1], 2), 1.0, 0.4)[0]
    assert n[0, 1] == n[1, 0] and float(n[0, 0]) == float(n[1, 1]) == 0
    assert float(n[0, 1]) == pytest.approx(switch(r, 1.0, 0.4), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient(kind):
    """Two frames, pairs below, within and beyond the switches."""
    system = make_system(**{**kind, "atoms": 12, "exclusions": kind.get("exclusions", 0) // 10})
    x = torch.stack([system.x, system.x.flip(0)]).requires_grad_()
    boxes = system.box.expand(2, 3, 3).contiguous()
    assert torch.autograd.gradcheck(
        lambda z: coordination_numbers(z, boxes, system.topology, 1.0, 0.6, 3), (x,), eps=1e-6, atol=1e-7
    )


def test_single_precision_and_missing_type():
    system = make_system()
    topology = Topology.of(np.zeros(32), 2)
    x = system.x - torch.floor(system.x @ system.box.inverse()) @ system.box
    n = [coordination_numbers(z[None], system.box[None], topology, 1.2, 0.3) for z in (x, x.float())]
    torch.testing.assert_close(n[0], n[1], rtol=1e-5, atol=1e-6, equal_nan=True)
    assert n[1].dtype == torch.float64 and n[0][0, 1].isnan().all() and float(n[0][0, 0, 1]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radius": 0.0}, "not 0.0 nm, 0.3 nm and 1"),
        ({"width": -1.0}, "-1.0 nm"),
        ({"num_radii": 0}, "and 0"),
        ({"radius": 1.6}, "1.75 nm are beyond half the periodic box"),
    ],
)
def test_refusals(change, message):
    system = make_system()
    arguments = {"radius": 1.0, "width": 0.3, "num_radii": 1} | change
    with pytest.raises((DiffPairError, RuntimeError), match=message):
        coordination_numbers(system.x[None], system.box[None], system.topology, **arguments)
