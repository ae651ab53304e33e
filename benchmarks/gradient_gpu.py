"""The segment and its adjoint on a GPU beside the CPU's."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from bars import Bar
from gradient_cases import Run
from rdf_loss import CUTOFF, FRAME_EVERY, R_MIN, TIMESTEP, RdfLoss, Timing, make_integrator

from diffpair.segments import run_segment

# Atoms and replicas: the sizes of a fit, and one that fills a GPU.
SYSTEMS = ((864, 1), (864, 64), (16384, 1), (110592, 1))


def gpu(run: Run) -> list[Bar]:
    """A function of the frames and its gradient with respect to the table; no bar is set."""
    if not torch.cuda.is_available():
        run.console.print("segment and adjoint on a GPU: torch sees no GPU")
        return []
    for atoms, replicas in SYSTEMS:
        loss = run.loss(run.fluid(atoms), replicas)
        contenders = {f"{run.threads} threads": on_device(loss, "cpu"), "GPU": on_device(loss, "cuda")}
        rounds = run.measure(contenders, f"{replicas} x {atoms} atoms, {loss.steps} steps", repeats=1)
        faster = rounds.ratio(f"{run.threads} threads", "GPU")
        run.console.print(f"{torch.cuda.get_device_name()} {faster:.3g} times faster")
    return []


def on_device(loss: RdfLoss, device: str) -> Callable[[], Timing]:
    """Frames of the loss's trajectories there, their mean square, and its gradient back on the CPU."""
    x0, v0 = loss.x0.to(device), loss.v0.to(device)
    integrator = make_integrator(loss.integrator, loss.topology.num_atoms)

    def evaluate() -> Timing:
        coefficients = loss.coefficients().requires_grad_()
        start = time.perf_counter()
        x, _ = run_segment(
            x0, v0, coefficients, topology=loss.topology, boxes=loss.boxes, inverse_mass=loss.inverse_mass,
            r_min=R_MIN, cutoff=CUTOFF, timestep=TIMESTEP, steps=loss.steps, frame_every=FRAME_EVERY,
            integrator=integrator,
        )  # fmt: skip
        value = x.square().mean()
        value.item()  # waits for the device
        middle = time.perf_counter()
        (gradient,) = torch.autograd.grad(value, coefficients)
        gradient.sum().item()
        return Timing(middle - start, time.perf_counter() - middle)

    return evaluate
