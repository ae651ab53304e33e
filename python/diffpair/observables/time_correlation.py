"""Velocity autocorrelation and mean-square displacement, as differentiable functions of frames."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffpair.errors import DiffPairError
from diffpair.segments import Topology

_ORIGINS = 256  # time origins per block: a block needs (origins + lags) * origins numbers


def velocity_autocorrelation(
    v: Tensor, lags: int | None = None, *, topology: Topology | None = None, normalised: bool = False
) -> Tensor:
    """<v(t) . v(t + lag)>, averaged over time origins, replicas and atoms.

    Args:
        v: velocities of evenly spaced frames, nm/ps, [R, F, N, 3], float32 or float64.
        lags: number of lags from 0 on, at most F (the default); later ones have fewer origins.
        topology: gives one curve per type (nan for a type without atoms).
        normalised: divide by the value at lag 0.

    Returns:
        nm^2/ps^2, or no unit where it is normalised; [lags], or [T, lags] with a topology; float64, differentiable in
        v.

    Raises:
        DiffPairError: shapes or numbers that do not fit.
    """
    curves = _over_types("velocities", v, lags, topology, _mean_products)
    return curves / curves[..., :1] if normalised else curves


def mean_square_displacement(x: Tensor, lags: int | None = None, *, topology: Topology | None = None) -> Tensor:
    """<|x(t + lag) - x(t)|^2>, averaged over time origins, replicas and atoms.

    Drift of the centre of mass is part of it: take it off the frames where it does not belong to the motion.

    Args:
        x: unwrapped positions of evenly spaced frames, nm, [R, F, N, 3]. A segment's frames and OpenMM's States are
            unwrapped; whoever wraps positions loses the displacement.
        lags: number of lags from 0 on, at most F (the default); later ones have fewer origins.
        topology: gives one curve per type (nan for a type without atoms).

    Returns:
        nm^2, [lags] or [T, lags]; float64, differentiable in x.

    Raises:
        DiffPairError: shapes or numbers that do not fit.
    """
    return _over_types("positions", x, lags, topology, _mean_squares)


def einstein_diffusion(msd: Tensor, interval: float, first: int = 1, last: int | None = None) -> Tensor:
    """Diffusion coefficient: a sixth of the slope of a straight line through msd[first : last].

    The line is fitted by least squares with an intercept, so ballistic motion before `first` does not bias it.

    Args:
        msd: mean-square displacement, nm^2, [..., lags].
        interval: time between frames, ps.
        first: first lag of the fit.
        last: lag that the fit ends before; None: all.

    Returns:
        nm^2/ps, [...].

    Raises:
        DiffPairError: fewer than two lags to fit, or an interval that is not positive.

    Examples:
        >>> import torch
        >>> from diffpair.observables.time_correlation import einstein_diffusion
        >>> t = 0.1 * torch.arange(50)  # ps
        >>> round(float(einstein_diffusion(6 * 2.3e-3 * t, interval=0.1)), 6)
        0.0023
    """
    _check_interval(interval)
    part = msd[..., first:last]
    count = part.shape[-1]
    if count < 2:
        raise DiffPairError(f"a diffusion coefficient needs 2 or more lags to fit, but {first}:{last} has {count}")
    time = interval * torch.arange(count, dtype=part.dtype, device=part.device)
    time = time - time.mean()
    return (part * time).sum(-1) / (6 * (time**2).sum())


def green_kubo_diffusion(vacf: Tensor, interval: float) -> Tensor:
    """Diffusion coefficient: a third of the integral of <v(0) . v(t)> over the lags, by trapezoids.

    Args:
        vacf: not normalised, nm^2/ps^2, [..., lags]; what it still holds at its last lag is missing from the integral.
        interval: time between frames, ps.

    Returns:
        nm^2/ps, [...].

    Raises:
        DiffPairError: fewer than two lags, or an interval that is not positive.
    """
    _check_interval(interval)
    if vacf.shape[-1] < 2:
        raise DiffPairError(f"a diffusion coefficient needs 2 or more lags, not {vacf.shape[-1]}")
    return torch.trapezoid(vacf, dx=interval, dim=-1) / 3


def _check_interval(interval: float) -> None:
    if not interval > 0:
        raise DiffPairError(f"the time between frames must be positive, not {interval} ps")


def _over_types(
    what: str, frames: Tensor, lags: int | None, topology: Topology | None, average: Callable[[Tensor, int], Tensor]
) -> Tensor:
    if frames.dim() != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise DiffPairError(f"{what} must have the shape [R, F, N, 3], nothing of it empty, not {list(frames.shape)}")
    count = frames.shape[1] if lags is None else lags
    if not 1 <= count <= frames.shape[1]:
        raise DiffPairError(f"lags must be from 1 to the number of frames, {frames.shape[1]}, not {lags}")
    if topology is None:
        return average(frames, count)
    if topology.num_atoms != frames.shape[2]:
        raise DiffPairError(f"the topology has {topology.num_atoms} atoms, but the {what} {frames.shape[2]}")
    members = [torch.nonzero(topology.types == kind)[:, 0].to(frames.device) for kind in range(topology.num_types)]
    nothing = torch.full((count,), torch.nan, dtype=torch.float64, device=frames.device)
    return torch.stack([average(frames[:, :, m], count) if len(m) else nothing for m in members])


def _mean_products(v: Tensor, lags: int) -> Tensor:
    return _over_origins(v, lags, lambda products, _, __: products)


def _mean_squares(x: Tensor, lags: int) -> Tensor:
    """|x - x'|^2 = |x|^2 + |x'|^2 - 2 x . x', with x relative to each atom's mean so that little is cancelled."""
    return _over_origins(x, lags, lambda products, at_origin, later: at_origin + later - 2 * products, centred=True)


def _over_origins(
    frames: Tensor, lags: int, combine: Callable[[Tensor, Tensor, Tensor], Tensor], centred: bool = False
) -> Tensor:
    """Mean over replicas, origins t and atoms of combine(f(t) . f(t + l), |f(t)|^2, |f(t + l)|^2); [lags].

    The scalar products of all frames of a block with all others are one matrix product; its diagonals are the lags.
    """
    replicas, count, atoms, _ = frames.shape
    total = torch.zeros(lags, dtype=torch.float64, device=frames.device)
    for replica in frames:
        rows = replica.reshape(count, -1).double()
        rows = rows - rows.mean(0) if centred else rows
        squares = (rows**2).sum(-1)
        for start in range(0, count, _ORIGINS):
            stop = min(start + _ORIGINS, count)
            reach = min(stop + lags - 1, count)
            later = torch.arange(stop - start, device=frames.device)[:, None] + torch.arange(lags, device=frames.device)
            inside = start + later < count
            later = later.clamp(max=reach - start - 1)
            products = (rows[start:stop] @ rows[start:reach].T).gather(1, later)
            values = combine(products, squares[start:stop, None], squares[start + later])
            total = total + torch.where(inside, values, 0.0).sum(0)
    origins = count - torch.arange(lags, dtype=torch.float64, device=frames.device)
    return total / (origins * (replicas * atoms))
