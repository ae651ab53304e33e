"""The differentiable segment: a short trajectory as one operator, with its exact discrete adjoint as backward."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

import diffpair.ops  # noqa: F401  (registers the operators)
from diffpair.segments.checkpoints import Checkpoints, plan_checkpoints
from diffpair.segments.forces import FurtherForces
from diffpair.segments.integrators import Integrator, Verlet
from diffpair.segments.problem import SumsGrid, Topology, make_problem


def run_segment(
    x0: Tensor,
    v0: Tensor,
    coefficients: Tensor,
    *,
    topology: Topology,
    boxes: Tensor,
    inverse_mass: Tensor,
    r_min: float,
    cutoff: float,
    timestep: float,
    steps: int,
    frame_every: int,
    integrator: Integrator | None = None,
    checkpoints: Checkpoints | None = None,
    forces: FurtherForces | None = None,
) -> tuple[Tensor, Tensor]:
    """Run R replicas for `steps` steps and return their frames as differentiable tensors.

    A step is that of OpenMM's integrators of the middle (leapfrog) kind, with OpenMM's half-step velocities:
    v' = v + (dt/m) F(x), x' = x + dt/2 v', v <- Theta(v'), x <- x' + dt/2 v, where Theta is the integrator's. The
    backward is the exact adjoint of these steps (DiffSim, arXiv 2209.07679, but discretised first), not of a continuous
    trajectory. float64 for checks, float32 for speed.

    Args:
        x0: start positions, nm, [R, N, 3], as OpenMM's State gives them; float32 or float64.
        v0: start velocities, nm/ps, [R, N, 3], of the same type.
        coefficients: table, kJ/mol, [P, knots + 2], float64; receives the gradient dL/dc.
        topology: types and exclusions.
        boxes: nm, [R, 3, 3] in reduced form, float64; zeros for no periodicity.
        inverse_mass: 1/amu, [N], float64; 0 holds an atom where it is.
        r_min: first knot of the table, nm.
        cutoff: last knot of the table, nm.
        timestep: ps.
        steps: number of steps; a multiple of frame_every.
        frame_every: a frame after every so many steps; the start is not a frame.
        integrator: Verlet (the default), LangevinMiddle or NoseHoover; its temperature and rate may require gradients.
        checkpoints: what is kept for the backward, which recomputes the rest. Changes memory and time, and no bit of
            the results. By default `plan_checkpoints` decides.
        forces: what acts beside the table.

    Returns:
        Positions in nm and velocities in nm/ps, [R, steps / frame_every, N, 3].

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
        ValueError: a type out of range, a cutoff beyond half the box, steps that frame_every does not divide.
        DiffPairError: a temperature or rate that does not fit the number of replicas; forces of a hook that fail.

    Examples:
        >>> import torch
        >>> from diffpair.segments import Topology, run_segment
        >>> c = torch.zeros(1, 32, dtype=torch.float64)
        >>> c[0, :10] = torch.arange(20.0, 0.0, -2.0)  # repulsion
        >>> x0 = torch.cartesian_prod(*[torch.arange(4.0, dtype=torch.float64)] * 3)[None]
        >>> x, v = run_segment(
        ...     x0,
        ...     torch.zeros_like(x0),
        ...     c.requires_grad_(),
        ...     topology=Topology.of([0] * 64, 1),
        ...     boxes=4 * torch.eye(3, dtype=torch.float64)[None],
        ...     inverse_mass=torch.ones(64, dtype=torch.float64),
        ...     r_min=0.5,
        ...     cutoff=1.9,
        ...     timestep=0.005,
        ...     steps=20,
        ...     frame_every=10,
        ... )
        >>> x.shape
        torch.Size([1, 2, 64, 3])
        >>> (v**2).sum().backward()
        >>> c.grad.shape
        torch.Size([1, 32])
    """
    x, v, _ = run_segment_sums(
        x0, v0, coefficients, None, topology=topology, boxes=boxes, inverse_mass=inverse_mass, r_min=r_min,
        cutoff=cutoff, timestep=timestep, steps=steps, frame_every=frame_every, integrator=integrator,
        checkpoints=checkpoints, forces=forces,
    )  # fmt: skip
    return x, v


def run_segment_sums(
    x0: Tensor,
    v0: Tensor,
    coefficients: Tensor,
    sums_grid: SumsGrid | None,
    *,
    topology: Topology,
    boxes: Tensor,
    inverse_mass: Tensor,
    r_min: float,
    cutoff: float,
    timestep: float,
    steps: int,
    frame_every: int,
    integrator: Integrator | None = None,
    checkpoints: Checkpoints | None = None,
    forces: FurtherForces | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """`run_segment`, and the spline sums of every frame from the neighbour lists that the steps have anyway.

    Args:
        x0: start positions, nm, [R, N, 3].
        v0: start velocities, nm/ps, [R, N, 3].
        coefficients: table, kJ/mol, [P, knots + 2], float64.
        sums_grid: grid of the sums; None gives none.
        topology: types and exclusions.
        boxes: nm, [R, 3, 3] in reduced form, float64.
        inverse_mass: 1/amu, [N], float64.
        r_min: first knot of the table, nm.
        cutoff: last knot of the table, nm.
        timestep: ps.
        steps: number of steps; a multiple of frame_every.
        frame_every: steps between frames.
        integrator: see `run_segment`.
        checkpoints: see `run_segment`.
        forces: see `run_segment`.

    Returns:
        Positions and velocities as of `run_segment`; sums of B_k(r) over pairs, [R, F, P, knots + 2], float64, equal to
        rounding to `torch.ops.diffpair.spline_sums` of the frames, and differentiable like them.

    Raises:
        RuntimeError: as `run_segment`.
        ValueError: as `run_segment`.
        DiffPairError: as `run_segment`.
    """
    theta = integrator or Verlet()
    forces = (forces or FurtherForces()).of_segment(x0.dtype == torch.float32)
    bath = theta.bath(x0.shape[0])
    if checkpoints is None:
        leaves = (x0, v0, coefficients, bath, *forces.parameters)
        if torch.is_grad_enabled() and any(z.requires_grad for z in leaves):
            checkpoints = plan_checkpoints(
                steps, x0.nbytes, vectors_of_step=1 if isinstance(theta, Verlet) else 2,
                vectors_of_every_step=0 if forces.hook is None else 1,
            )  # fmt: skip
        else:  # no backward: the least that can be kept
            checkpoints = Checkpoints(max(1, steps), steps)
    problem = make_problem(
        topology, inverse_mass, boxes, SumsGrid(r_min, cutoff, coefficients.shape[-1] - 2), timestep, steps,
        frame_every, checkpoints, theta, sums_grid, forces,
    )  # fmt: skip
    with contextlib.nullcontext() if forces.hook is None else forces.hook.reporting():
        x, v, sums, _, _ = torch.ops.diffpair.segment(x0, v0, coefficients, bath, forces.parameters, problem)
    return x, v, sums
