"""The angle distribution against loops over all images, mdtraj, and answers known on paper."""

from __future__ import annotations

from itertools import combinations

import mdtraj
import numpy as np
import pytest
import torch
from argon import trajectory_of
from images import excluded_pairs, gas, neighbours
from oracle import bspline
from systems import CUBIC, TRICLINIC, make_system

from diffpair.errors import DiffPairError
from diffpair.observables import angles
from diffpair.observables.angles import AngleDistribution
from diffpair.segments import Topology


def by_loops(system, distribution):
    """Weighted angles and their cosines, every image tried: [(cosine, weight)]."""
    types = system.topology.types.tolist()
    near = neighbours(
        system.x.numpy(), system.box.numpy(), distribution.cutoff, excluded_pairs(system.topology.exclusions)
    )

    def switch(r):
        s = max(0.0, (r - distribution.cutoff) / distribution.width + 1)
        return 1 - 10 * s**3 + 15 * s**4 - 6 * s**5

    found = []
    for i, around in near.items():
        if distribution.centre in (None, types[i]):
            for (j, r, e), (k, s, f) in combinations(around, 2):
                if distribution.ends is None or sorted((types[j], types[k])) == sorted(distribution.ends):
                    found.append((e @ f, switch(r) * switch(s)))
    return np.array(found)


def smeared(values, distribution):
    """Histogram with the B-spline of one bin, its tails beyond -1 and 1 folded back."""
    bins, width = distribution.num_bins, distribution.bin_width
    centres = torch.arange(-2, bins + 2, dtype=torch.float64) * width + width / 2 - 1
    kernel = bspline((torch.from_numpy(values[:, :1]) - centres) / width)
    counts = (torch.from_numpy(values[:, 1:]) * kernel).sum(0).numpy()
    inside = counts[2:-2]
    inside[:2] += counts[1::-1]
    inside[-2:] += counts[:-3:-1]
    return inside


KINDS = [
    pytest.param({"num_types": 1}, None, None, id="one type"),
    pytest.param({"num_types": 2, "box": TRICLINIC, "exclusions": 40}, None, (0, 0), id="triclinic, ends alike"),
    pytest.param({"num_types": 2, "box": TRICLINIC}, 1, (1, 0), id="triclinic, ends unlike"),
    pytest.param({"num_types": 3, "exclusions": 20}, 2, None, id="centre given, exclusions"),
]


@pytest.mark.parametrize(("kind", "centre", "ends"), KINDS)
def test_equals_loops_over_all_images(kind, centre, ends):
    system = make_system(**kind)
    distribution = AngleDistribution(1.5, 0.4, 16, system.topology, centre=centre, ends=ends)
    values = by_loops(system, distribution)
    assert len(values) > 50
    expected = smeared(values, distribution)
    counts = distribution.counts(system.x[None], system.box[None])
    np.testing.assert_allclose(counts[0].numpy(), expected, rtol=1e-10, atol=1e-12)
    assert float(counts.sum()) == pytest.approx(values[:, 1].sum(), rel=1e-12), "smearing must lose nothing"
    density = distribution.density(system.x[None], system.box[None])
    np.testing.assert_allclose(density[0].numpy(), expected / expected.sum() / (2 / 16), rtol=1e-10)


def test_becomes_the_plain_histogram():
    """Fine bins summed to coarse ones, no switch: numpy.histogram but for the angles at the coarse edges."""
    system = make_system(atoms=60, box=1.1 * CUBIC, seed=3)
    distribution = AngleDistribution(1.4, 0.0, 2000, system.topology)
    values = by_loops(system, AngleDistribution(1.4, 1e-9, 4, system.topology))
    fine = distribution.counts(system.x[None], system.box[None])[0].numpy()
    plain, edges = np.histogram(values[:, 0], bins=10, range=(-1, 1))
    at_edges = sum((abs(values[:, 0] - edge) < 0.0025).sum() for edge in edges[1:-1])
    assert len(values) > 1000 and at_edges < 0.05 * len(values)
    assert np.abs(fine.reshape(10, 200).sum(1) - plain).sum() <= at_edges


@pytest.mark.parametrize("box", [CUBIC, TRICLINIC], ids=["rectangular", "triclinic"])
def test_equals_mdtraj(box):
    """Neighbours and angles as mdtraj finds them, in single precision."""
    x = gas(1, 40, box, seed=5).astype(np.float32)
    trajectory = trajectory_of(x, box)
    pairs = np.array(list(combinations(range(40), 2)))
    close = pairs[mdtraj.compute_distances(trajectory, pairs)[0] < 1.2]
    triplets = []
    for i in range(40):
        around = [a if b == i else b for a, b in close.tolist() if i in (a, b)]
        triplets += [(j, i, k) for j, k in combinations(around, 2)]
    cosines = np.cos(mdtraj.compute_angles(trajectory, triplets)[0].astype(float))
    distribution = AngleDistribution(1.2, 0.0, 12, Topology.of(np.zeros(40), 1))
    expected = smeared(np.stack([cosines, np.ones(len(cosines))], axis=1), distribution)
    counts = distribution.counts(torch.from_numpy(x), torch.from_numpy(box)[None])[0].numpy()
    assert np.abs(counts - expected).max() < 1e-4 * len(triplets)


def test_cubic_lattice():
    """Six neighbours: 12 right angles and 3 straight ones at every atom, and even these have a gradient."""
    x = torch.cartesian_prod(*[torch.arange(4, dtype=torch.float64)] * 3)[None].requires_grad_()
    box = 4 * torch.eye(3, dtype=torch.float64)[None]
    distribution = AngleDistribution(1.2, 0.1, 5, Topology.of(np.zeros(64), 1))
    counts = distribution.counts(x, box)[0]
    # Right angles are in the middle of bin 2: 1/6, 4/6, 1/6. Straight ones are half a bin before the first centre, as
    # far behind its mirror image: 2 B(1/2) = 46/48, then 2 B(3/2) = 2/48.
    expected = 64 * (12 * np.array([0, 1, 4, 1, 0]) / 6 + 3 * np.array([46, 2, 0, 0, 0]) / 48)
    np.testing.assert_allclose(counts.detach().numpy(), expected, rtol=1e-12, atol=1e-10)
    (gradient,) = torch.autograd.grad((counts * torch.arange(5)).sum(), x)
    assert gradient.isfinite().all() and gradient.abs().max() < 1e-9, "a lattice is stationary by symmetry"


def test_ideal_gas_is_flat():
    box = np.diag([3.0, 3.0, 3.0])
    x = torch.from_numpy(gas(8, 120, box, seed=1))
    distribution = AngleDistribution(0.9, 0.2, 10, Topology.of(np.zeros(120), 1))
    density = distribution.density(x, torch.from_numpy(box).expand(8, 3, 3))
    assert density.shape == (8, 10)
    error = density.std(0) / np.sqrt(8)
    assert ((density.mean(0) - 0.5) / error).abs().max() < 5.5 and float(error.max()) < 0.02


@pytest.mark.parametrize(("kind", "centre", "ends"), KINDS)
def test_gradient(kind, centre, ends):
    """Two frames, most neighbours inside the switched range."""
    box = 0.7 * kind.get("box", CUBIC)
    system = make_system(**{**kind, "atoms": 8, "box": box, "exclusions": kind.get("exclusions", 0) // 20}, seed=2)
    distribution = AngleDistribution(1.15, 0.6, 6, system.topology, centre=centre, ends=ends)
    x = torch.stack([system.x, system.x.flip(0)]).requires_grad_()
    boxes = system.box.expand(2, 3, 3)
    total = distribution.counts(x, boxes).sum(1)
    assert float(total.sum().detach()) > 0.2
    assert torch.autograd.gradcheck(lambda z: distribution.counts(z, boxes), (x,), eps=1e-6, atol=1e-6)
    full = total > 0.1
    assert torch.autograd.gradcheck(lambda z: distribution.density(z[full], boxes[full]), (x,), eps=1e-6, atol=1e-6)


def test_single_precision():
    system = make_system(num_types=2)
    x = (system.x - torch.floor(system.x @ system.box.inverse()) @ system.box)[None].requires_grad_()
    single = x.detach().float().requires_grad_()
    distribution = AngleDistribution(1.5, 0.4, 12, system.topology, ends=(0, 1))
    both = [distribution.density(z, system.box[None]) for z in (x, single)]
    torch.testing.assert_close(both[0], both[1], rtol=1e-4, atol=1e-5)
    slopes = [torch.autograd.grad(y[0, 3], z)[0] for y, z in zip(both, (x, single), strict=True)]
    assert slopes[1].dtype == torch.float32
    assert (slopes[0] - slopes[1]).abs().max() < 1e-4 * slopes[0].abs().max()


def test_blocks_change_nothing_and_bound_the_memory(monkeypatch):
    """The backward keeps positions and neighbours, not angles: what it saves is a small part of them."""
    system = make_system(atoms=150, box=1.7 * CUBIC, seed=2)
    distribution = AngleDistribution(1.8, 0.4, 12, system.topology)
    results, saved = [], []

    def keep(tensor):
        sizes[tensor.data_ptr()] = tensor.numel()
        return tensor

    for block in (10**9, 2000):
        monkeypatch.setattr(angles, "_ANGLES_PER_BLOCK", block)
        x, sizes = system.x[None].clone().requires_grad_(), {}
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            counts = distribution.counts(x, system.box[None])
        saved.append(sum(sizes.values()))
        (gradient,) = torch.autograd.grad((counts**2).sum(), x)
        results.append((counts.detach(), gradient))
    torch.testing.assert_close(results[0], results[1], rtol=1e-10, atol=1e-8)
    assert max(saved) < 0.5 * float(results[0][0].sum()), "positions and neighbours, not one number per angle"


@pytest.mark.parametrize("atoms", [0, 1, 2])
def test_no_angles(atoms):
    x = torch.arange(3.0 * atoms, dtype=torch.float64).reshape(1, atoms, 3).mul(0.1).requires_grad_()
    distribution = AngleDistribution(1.0, 0.2, 5, Topology.of(np.zeros(atoms), 1))
    density = distribution.density(x, 4 * torch.eye(3, dtype=torch.float64)[None])
    assert torch.equal(density.detach(), torch.zeros(1, 5, dtype=torch.float64))


def test_coincident_atoms_give_no_nan():
    x = torch.tensor([[[0.0, 0, 0], [0, 0, 0], [0.3, 0, 0], [0, 0.3, 0]]], dtype=torch.float64, requires_grad=True)
    distribution = AngleDistribution(1.0, 0.2, 5, Topology.of(np.zeros(4), 1))
    density = distribution.density(x, torch.zeros(1, 3, 3, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(density[0, 1], x)
    assert density.isfinite().all() and gradient.isfinite().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cutoff": 0.0, "width": 0.0}, "cutoff of 0.0 nm"),
        ({"width": 1.5}, "width of 1.5 nm"),
        ({"num_bins": 3}, "3 bins"),
        ({"centre": 1}, "names type 1, but types run from 0 to 0"),
        ({"ends": (0, -1)}, "names type -1"),
        ({"cutoff": 1.8}, "beyond half the periodic box"),
    ],
)
def test_refusals(change, message):
    system = make_system()
    arguments = {"cutoff": 1.0, "width": 0.1, "num_bins": 10, "topology": system.topology} | change
    with pytest.raises((DiffPairError, RuntimeError), match=message):
        AngleDistribution(**arguments).counts(system.x[None], system.box[None])


def test_shapes_that_do_not_fit():
    system = make_system()
    distribution = AngleDistribution(1.0, 0.1, 10, system.topology)
    x, box = system.x[None], system.box[None]
    for positions, boxes in ((x[0], box), (x[:, 1:], box), (x, box[0])):
        with pytest.raises(DiffPairError, match=r"angles of 32 atoms need positions \[M, 32, 3\] and boxes \[M, 3,"):
            distribution.counts(positions, boxes)
    assert distribution.density(system.x[None][:0], system.box[None][:0]).shape == (0, 10)
