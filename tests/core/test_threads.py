"""Operators in threads of Python, each on two threads of torch: the bits of one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from segment_runs import DT, NAMES, gradients, leaves_of
from systems import SmallSystem, make_system
from torch import Tensor

import diffpair.ops  # noqa: F401  (registers the operators)
from diffpair.segments import BondedForces, FurtherForces, SumsGrid, run_segment_sums

Task = Callable[[], list[Tensor]]


@pytest.fixture(autouse=True)
def two_threads_of_torch() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def with_gradient(function: Callable[..., Tensor], *leaves: Tensor) -> list[Tensor]:
    """What the function gives, and the gradient of a smooth functional of it."""
    leaves = tuple(z.clone().requires_grad_() for z in leaves)
    result = function(*leaves)
    return [result.detach(), *torch.autograd.grad(result.sin().sum(), leaves)]


def pair_tasks(system: SmallSystem, frames: int, dtype: torch.dtype) -> list[Task]:
    """Every operator of single configurations; one frame is shared by the threads, of several each has its own."""
    ops, t = torch.ops.diffpair, system.topology
    x = (system.x + 0.01 * torch.arange(frames)[:, None, None]).to(dtype)
    boxes = system.box.expand(frames, 3, 3).contiguous()
    given = (boxes, t.types, t.exclusions, t.num_types, system.r_min, system.cutoff)
    values = torch.linspace(1, 2, 24, dtype=torch.float64).reshape(2, 12)
    return [
        lambda: with_gradient(lambda z: ops.spline_sums(z, *given, 15), x),
        lambda: with_gradient(lambda z: ops.virial_sums(z, *given, 15), x),
        lambda: ops.frame_sums(x, *given[:4], [0.3, 0.2], [1.1, system.cutoff], [12, 9], True),
        lambda: [ops.neighbor_pairs(x[0], boxes[0], t.exclusions, system.cutoff)],
        lambda: list(ops.pair_forces(x, *given, system.coefficients)),
        lambda: with_gradient(lambda z: ops.interpolate_table(z, 0.3, 0.9), values),
        lambda: with_gradient(lambda z: ops.switching(z, 0.9, 0.2), values[0] / 2),
    ]


def segment_tasks(system: SmallSystem, replicas: int, dtype: torch.dtype) -> list[Task]:
    """Segments with bonds and their adjoints, of every integrator; and one with sums on the way."""
    x0, v0, *rest = leaves_of(system)
    folded = x0 - torch.floor(x0 @ system.box.inverse()) @ system.box
    x0, v0 = (z.expand(replicas, -1, -1).to(dtype).contiguous() for z in (folded, v0))
    bonds = torch.tensor([[0.8, 50.0], [0.9, 40.0]], dtype=torch.float64)
    forces = FurtherForces((BondedForces("harmonic-bond", torch.tensor([[0, 1], [2, 3]], dtype=torch.int32), bonds),))
    arguments = system.segment_arguments() | {"boxes": system.box.expand(replicas, 3, 3).contiguous()}

    def on_the_way(*leaves: Tensor) -> Tensor:
        grid = SumsGrid(0.3, system.cutoff, 8)
        return run_segment_sums(*leaves, grid, timestep=DT, steps=12, frame_every=4, **arguments)[2]

    def task(name: str) -> Task:
        return lambda: list(gradients(name, system, [x0, v0, *rest], 12, 4, forces=forces))

    return [*(task(name) for name in NAMES), lambda: with_gradient(on_the_way, x0, v0, system.coefficients)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
@pytest.mark.parametrize("count", [1, 3])
def test_operators_in_threads(count, dtype):
    system = make_system(seed=5, atoms=40, num_types=2, exclusions=6)
    tasks = pair_tasks(system, count, dtype) + segment_tasks(system, count, dtype)
    alone = [task() for task in tasks]
    orders = [[(start + 3 * k) % len(tasks) for k in range(len(tasks))] for start in range(3)]
    with ThreadPoolExecutor(len(orders)) as pool:
        together = list(pool.map(lambda order: {k: tasks[k]() for k in order}, orders))
    for found in together:
        for k, expected in enumerate(alone):
            for one, other in zip(found[k], expected, strict=True):
                assert torch.equal(one, other), k
