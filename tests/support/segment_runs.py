"""Segments of all integrators with every number that has a gradient in one list."""

from __future__ import annotations

import torch
from systems import SmallSystem

from diffpair.segments import LangevinMiddle, NoseHoover, Verlet, run_segment

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


def gradients(name: str, system: SmallSystem, leaves, steps: int, every: int, loss=random_loss, **more):
    """Frames, and gradients of all leaves (zeros for those that an integrator does not have)."""
    leaves = [z.clone().requires_grad_() for z in leaves]
    x, v = run(name, system, leaves, steps, every, **more)
    grads = torch.autograd.grad(loss(x.double(), v.double()), leaves, allow_unused=True, materialize_grads=True)
    return x.detach(), v.detach(), *grads
