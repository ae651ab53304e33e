"""The torch operators, `torch.ops.diffpair.*`: shapes for tracing, and which operator is the backward of which.

Importing this module loads the library. Every operator is stateless: what a backward needs, it gets as an argument. x
and v are float32 or float64, everything else float64, indices int32. All tensors live on the CPU; where torch has CUDA,
`spline_sums`, `pair_forces` and `segment` also take x and v on a GPU, and the rest on either. Lengths are in nm,
energies in kJ/mol, times in ps, masses in amu. M frames, R replicas, F frames of a replica, N atoms, T types,
P = T (T + 1) / 2 pairs of types, K knots, E exclusions.

``spline_sums(x, boxes, types, exclusions, num_types, r_min, cutoff, knots)``
    Sums over pairs of B_k(r), the cubic B-splines of a table: [M, P, K + 2]. On a potential's grid this is dU/dc; on a
    grid of bins, the smooth RDF. x [M, N, 3], boxes [M, 3, 3], types [N], exclusions [E, 2].

``virial_sums(x, boxes, types, exclusions, num_types, r_min, cutoff, knots)``
    Sums over pairs of r B_k'(r): [M, P, K + 2]. The virial, sum_pairs r F(r), is -c times it.

``frame_sums(x, boxes, types, exclusions, num_types, r_min, cutoff, knots, single)``
    The `spline_sums` on several grids from one neighbour list, a tensor of each: r_min, cutoff and knots are lists.
    single: distances in float32 whatever x is. Not differentiable.

``neighbor_pairs(x, box, exclusions, cutoff)``
    Atoms within the cutoff of each other, int64 [pairs, 2], each pair once, in no particular order, of x [N, 3] in a
    box [3, 3]. Not differentiable; what is measured on the pairs is.

``pair_forces(x, boxes, types, exclusions, num_types, r_min, cutoff, coefficients)``
    Forces [M, N, 3], energy [M] and virial [M] of a table c [P, K + 2] or one of each frame, [M, P, K + 2].

``segment(x0, v0, coefficients, bath, parameters, problem)``
    Frames of R trajectories: x and v [R, F, N, 3]; their `spline_sums` on the problem's grid of sums, if it has one,
    [R, F, P, K' + 2]; and what the backward starts from. x0 and v0 [R, N, 3], c [P, K + 2]. The integrators of
    `diffpair.segments` make bath [R, 2]; parameters are those of bonded forces, a tensor of each kind; problem is the
    torch class of all else, which `diffpair.segments.make_problem` sets up.

``interpolate_table(values, r_min, cutoff)``
    Coefficients [P, K + 2] of the cubic spline through values [P, K] at the knots, which ends smoothly at the cutoff.

``switching(r, cutoff, width)``
    The quintic switching function, [n] of distances [n]: 1 up to cutoff - width, 0 from the cutoff on.

Raises:
    RuntimeError: shapes or types that do not fit, or a cutoff beyond half a box.

Examples:
    >>> import torch, diffpair.ops
    >>> r = torch.tensor([0.5, 0.9, 1.0], dtype=torch.float64)
    >>> torch.ops.diffpair.switching(r, 1.0, 0.2)
    tensor([1.0000, 0.5000, 0.0000], dtype=torch.float64)
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor

from diffpair._libraries import load_torch_operators
from diffpair.force_hooks import hook_of
from diffpair.pair_geometry import radial_slope_gradient

load_torch_operators()


def _pairs(num_types: int) -> int:
    return num_types * (num_types + 1) // 2


@torch.library.register_fake("diffpair::virial_sums")
@torch.library.register_fake("diffpair::spline_sums")
def _(x, boxes, types, exclusions, num_types, r_min, cutoff, knots):  # type: ignore[no-untyped-def]
    return x.new_empty((x.shape[0], _pairs(num_types), knots + 2), dtype=torch.float64)


@torch.library.register_fake("diffpair::frame_sums")
def _(x, boxes, types, exclusions, num_types, r_min, cutoff, knots, single):  # type: ignore[no-untyped-def]
    return [x.new_empty((x.shape[0], _pairs(num_types), count + 2), dtype=torch.float64) for count in knots]


@torch.library.register_fake("diffpair::pair_forces")
def _(x, boxes, types, exclusions, num_types, r_min, cutoff, coefficients):  # type: ignore[no-untyped-def]
    sums = x.new_empty((x.shape[0],), dtype=torch.float64)
    return torch.empty_like(x), sums, torch.empty_like(sums)


@torch.library.register_fake("diffpair::neighbor_pairs")
def _(x, box, exclusions, cutoff):  # type: ignore[no-untyped-def]
    return x.new_empty((torch.library.get_ctx().new_dynamic_size(), 2), dtype=torch.int64)


@torch.library.register_fake("diffpair::interpolate_table")
def _(values, r_min, cutoff):  # type: ignore[no-untyped-def]
    return values.new_empty((values.shape[0], values.shape[1] + 2))


@torch.library.register_fake("diffpair::interpolate_table_backward")
def _(grad, r_min, cutoff):  # type: ignore[no-untyped-def]
    return grad.new_empty((grad.shape[0], grad.shape[1] - 2))


@torch.library.register_fake("diffpair::switching")
def _(r, cutoff, width):  # type: ignore[no-untyped-def]
    return torch.empty_like(r)


@torch.library.register_fake("diffpair::segment")
def _(x0, v0, coefficients, bath, parameters, problem):  # type: ignore[no-untyped-def]
    frames, sums, kept, records = problem.shapes()
    x = x0.new_empty(frames)
    sums, records = (x0.new_empty(shape, dtype=torch.float64) for shape in (sums, records))
    return x, torch.empty_like(x), sums, x0.new_empty(kept), records


@torch.library.register_fake("diffpair::segment_backward")
def _(  # type: ignore[no-untyped-def]
    grad_x, grad_v, grad_sums, x, kept, records, coefficients, bath, parameters, problem
):
    start = kept.new_empty((kept.shape[0], kept.shape[2], 3))
    of_all = [torch.empty_like(z) for z in (start, coefficients, bath, *parameters)]
    return start, *of_all[:3], of_all[3:]


def _keep_spline_sums(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, boxes, types, exclusions, *ctx.grid = inputs
    ctx.save_for_backward(x, boxes, types, exclusions)


def _spline_sums_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    """d/dx of sum_k G_k sum_pairs B_k(r) is minus the force of a table whose coefficients are G."""
    num_types, r_min, cutoff, _ = ctx.grid
    forces, _, _ = torch.ops.diffpair.pair_forces(*ctx.saved_tensors, num_types, r_min, cutoff, grad.contiguous())
    return -forces, *([None] * 7)


def _virial_sums_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    """d/dx of sum_k G_k sum_pairs r B_k'(r), frame by frame to bound the memory; see `radial_slope_gradient`."""
    x, boxes, types, exclusions = ctx.saved_tensors
    num_types, r_min, cutoff, _ = ctx.grid
    rows = [
        radial_slope_gradient(*frame, types, exclusions, num_types, r_min, cutoff)
        for frame in zip(x, boxes, grad, strict=True)
    ]
    return torch.stack(rows) if rows else torch.zeros_like(x), *([None] * 7)


def _keep_grid(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, ctx.r_min, ctx.cutoff = inputs


def _interpolate_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return torch.ops.diffpair.interpolate_table_backward(grad, ctx.r_min, ctx.cutoff), None, None


def _interpolate_backward_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return torch.ops.diffpair.interpolate_table(grad, ctx.r_min, ctx.cutoff), None, None


def _keep_switching(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    r, ctx.cutoff, ctx.width = inputs
    ctx.save_for_backward(r)


def _switching_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    """s' = -30 x^2 (1 - x)^2 / width with x from 0 to 1 over the switched range; a step (width 0) has no slope."""
    (r,) = ctx.saved_tensors
    if ctx.width == 0:
        return torch.zeros_like(grad), None, None
    x = ((r - (ctx.cutoff - ctx.width)) / ctx.width).clamp(0, 1)
    return grad * (-30 / ctx.width) * (x * (1 - x)) ** 2, None, None


def _keep_segment(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    _, _, coefficients, bath, parameters, ctx.problem = inputs
    x, _, _, kept, records = output
    ctx.hook = hook_of(ctx.problem.hook_user())  # lives as long as it may be called
    frames = x if ctx.problem.has_sums() else None  # only sums are differentiated at the frames
    ctx.save_for_backward(frames, kept, records, coefficients, bath, *parameters)
    ctx.mark_non_differentiable(kept, records)
    ctx.set_materialize_grads(False)  # else zeros as large as all that is kept


def _segment_backward(
    ctx: Any, grad_x: Tensor | None, grad_v: Tensor | None, grad_sums: Tensor | None, *_: Tensor | None
) -> tuple[Tensor | None, ...]:
    *rest, coefficients, bath = ctx.saved_tensors[:5]
    parameters = list(ctx.saved_tensors[5:])
    with contextlib.nullcontext() if ctx.hook is None else ctx.hook.reporting():
        gradients = torch.ops.diffpair.segment_backward(
            grad_x, grad_v, grad_sums, *rest, coefficients, bath, parameters, ctx.problem
        )
    return *gradients, None


def _register(name: str, backward: Any, setup_context: Any) -> None:
    torch.library.register_autograd(f"diffpair::{name}", backward, setup_context=setup_context)


_register("spline_sums", _spline_sums_backward, _keep_spline_sums)
_register("virial_sums", _virial_sums_backward, _keep_spline_sums)
_register("interpolate_table", _interpolate_backward, _keep_grid)
_register("interpolate_table_backward", _interpolate_backward_backward, _keep_grid)
_register("switching", _switching_backward, _keep_switching)
_register("segment", _segment_backward, _keep_segment)
