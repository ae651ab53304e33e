"""The operators on a GPU against the CPU's; the other tests of this folder run there too, by `make test-gpu`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from segment_runs import NAMES, leaves_of, make_integrator, run
from systems import make_system

from diffpair.segments import BondedForces, FurtherForces, run_segment

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")


def run_on(device: str, name: str, dtype: torch.dtype, everything: bool):
    """Frames and gradients; `everything`: also what may stay on the CPU is on the device."""
    system = make_system(seed=4, num_types=2, exclusions=6)
    leaves = [z.to(device if everything or k < 2 else "cpu") for k, z in enumerate(leaves_of(system))]
    leaves[:2] = [z.to(dtype) for z in leaves[:2]]
    leaves = [z.requires_grad_() for z in leaves]
    arguments = system.segment_arguments()
    if everything:
        arguments = {key: z.to(device) if isinstance(z, torch.Tensor) else z for key, z in arguments.items()}
    integrator = make_integrator(name, *leaves[3:])
    x, v = run_segment(*leaves[:3], timestep=0.004, steps=20, frame_every=5, integrator=integrator, **arguments)
    loss = (x.double() ** 2).sum() + (x.double() * v.double()).sum()
    grads = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    assert x.device.type == device and all(g.device == z.device for g, z in zip(grads, leaves, strict=True))
    return [z.detach().cpu() for z in (x, v, *grads)]


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", NAMES)
def test_segment_and_gradient_equal_the_cpu(name, dtype, everything):
    tolerance = 1e-9 if dtype == torch.float64 else 2e-3
    first, second, expected = (run_on(device, name, dtype, everything) for device in ("cuda", "cuda", "cpu"))
    for once, again, want in zip(first, second, expected, strict=True):
        assert torch.equal(once, again)
        torch.testing.assert_close(once, want, rtol=0, atol=tolerance * (1e-3 + float(want.abs().max())))


def test_further_forces_are_refused():
    system = make_system(seed=4)
    atoms, parameters = torch.tensor([[0, 1]], dtype=torch.int32), torch.ones((1, 2), dtype=torch.float64)
    forces = FurtherForces((BondedForces("harmonic-bond", atoms, parameters),))
    x, v = system.x[None].cuda(), system.v[None].cuda()
    with pytest.raises(ValueError, match="On a GPU a segment knows no forces beside the table's"):
        run_segment(
            x, v, system.coefficients, timestep=0.004, steps=1, frame_every=1, forces=forces,
            **system.segment_arguments(),
        )  # fmt: skip


def test_many_replicas_of_a_liquid_equal_single_ones():
    """More atoms and teams than the other tests have."""
    system = make_system(seed=5, atoms=400, box=np.diag([9.0, 9.0, 9.5]))
    x0, v0, *rest = leaves_of(system)
    single = run("verlet", system, [x0.cuda(), v0.cuda(), *rest], 10, 10)
    many = [z.cuda().expand(40, -1, -1).contiguous() for z in (x0, v0)]
    for alone, together in zip(single, run("verlet", system, [*many, *rest], 10, 10), strict=True):
        assert torch.equal(alone.expand(40, -1, -1, -1), together)
