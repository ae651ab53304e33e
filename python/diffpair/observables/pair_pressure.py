"""The pressure of a pair system as a differentiable function of positions, velocities and the table."""

from __future__ import annotations

import torch
from torch import Tensor

import diffpair.ops  # noqa: F401  (registers the operators)
from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import BAR
from diffpair.pair_geometry import spline_work
from diffpair.segments import Topology


def pair_virial(
    x: Tensor, boxes: Tensor, topology: Topology, coefficients: Tensor, *, r_min: float, cutoff: float
) -> Tensor:
    """W = sum_pairs r F(r) = -dU/d(ln L).

    Args:
        x: positions, nm, [M, N, 3], float32 or float64.
        boxes: nm, [M, 3, 3] in reduced form, float64.
        topology: types and exclusions.
        coefficients: table, kJ/mol, [P, knots + 2], or one of each frame, [M, P, knots + 2], float64.
        r_min: first knot of the table, nm.
        cutoff: last knot of the table, nm.

    Returns:
        kJ/mol, [M], float64, differentiable in x and the coefficients.

    Raises:
        DiffPairError: a table of another shape.
        RuntimeError: a cutoff beyond half a box.
    """
    rows = topology.num_types * (topology.num_types + 1) // 2
    if coefficients.shape[:-1] not in ((rows,), (x.shape[0], rows)):
        raise DiffPairError(
            f"a table for {topology.num_types} types has the shape [{rows}, knots + 2], or that once per frame, not "
            f"{list(coefficients.shape)}"
        )
    sums = virial_sums(x, boxes, topology, r_min=r_min, cutoff=cutoff, knots=coefficients.shape[-1] - 2)
    return -(sums * coefficients).sum((1, 2))


def virial_sums(x: Tensor, boxes: Tensor, topology: Topology, *, r_min: float, cutoff: float, knots: int) -> Tensor:
    """-dW/dc of each frame: sums over pairs of r B_k'(r). W is linear in the table.

    Args:
        x: positions, nm, [M, N, 3], float32 or float64.
        boxes: nm, [M, 3, 3] in reduced form, float64.
        topology: types and exclusions.
        r_min: first knot of the table, nm.
        cutoff: last knot of the table, nm.
        knots: of the table.

    Returns:
        [M, P, knots + 2], float64, differentiable in x.

    Raises:
        RuntimeError: a cutoff beyond half a box.
    """
    sums: Tensor = torch.ops.diffpair.virial_sums(  # has no CUDA kernel
        x.to(boxes.device), boxes, topology.types, topology.exclusions, topology.num_types, r_min, cutoff, knots
    )
    return sums


def molecular_virial_sums(
    x: Tensor, boxes: Tensor, centres: Tensor, topology: Topology, *, r_min: float, cutoff: float, knots: int
) -> Tensor:
    """3V dS/dV of each frame: how the sums S over pairs of B_k(r) grow with the box, whole molecules being moved.

    A pair adds B_k'(r) times the component along r of the distance between the centres of its molecules, which is r for
    single particles (M. P. Allen, D. J. Tildesley, Computer Simulation of Liquids, 2017, section 2.4).

    Args:
        x: positions of whole molecules, nm, [M, N, 3], float32 or float64.
        boxes: nm, [M, 3, 3] in reduced form, float64.
        centres: of the molecule that each particle belongs to, nm, [M, N, 3].
        topology: types and exclusions.
        r_min: first knot of the table, nm.
        cutoff: last knot of the table, nm.
        knots: of the table.

    Returns:
        [M, P, knots + 2], float64.

    Raises:
        RuntimeError: a cutoff beyond half a box.
    """
    sums = virial_sums(x, boxes, topology, r_min=r_min, cutoff=cutoff, knots=knots)
    within = (x - centres).double()
    for frame in range(len(x)):
        if bool(within[frame].any()):
            sums[frame] -= spline_work(
                x[frame], boxes[frame], within[frame], topology.types, topology.exclusions, topology.num_types, r_min,
                cutoff, knots,
            )  # fmt: skip
    return sums


def pair_pressure(
    x: Tensor,
    boxes: Tensor,
    topology: Topology,
    coefficients: Tensor,
    *,
    r_min: float,
    cutoff: float,
    temperature: float | Tensor | None = None,
    v: Tensor | None = None,
    masses: Tensor | None = None,
) -> Tensor:
    """P = (K + W) / 3V, W = sum_pairs r F(r), and K = 3 N kT, or sum m v^2 if velocities are given.

    Particles without mass do not move and have no part in K.

    What `PressureProbe` measures for a System of nothing but this pair potential; there other forces and rigid
    molecules are taken care of, here there is a gradient. OpenMM's velocities are half a step behind x.

    Args:
        x: positions, nm, [M, N, 3], float32 or float64.
        boxes: nm, [M, 3, 3] in reduced form, float64; a constant of the gradient.
        topology: types and exclusions.
        coefficients: table, kJ/mol, [P, knots + 2], or one of each frame, [M, P, knots + 2], float64.
        r_min: first knot of the table, nm.
        cutoff: last knot of the table, nm.
        temperature: K, a number or [M]: the ideal-gas term, of the particles that have mass. Give this or v.
        v: velocities, nm/ps, [M, N, 3]: the kinetic term.
        masses: amu, [N]; needed with v. Without them all particles have mass.

    Returns:
        bar, [M], float64, differentiable in x, v, temperature and the coefficients. Divide by
        `diffpair.observables.pressure.BAR` for kJ/mol/nm^3.

    Raises:
        DiffPairError: both kinetic terms or neither, a frame without a box, or shapes that do not fit.
        RuntimeError: a cutoff beyond half a box.

    Examples:
        >>> import torch
        >>> from diffpair.observables.pair_pressure import pair_pressure
        >>> from diffpair.segments import Topology
        >>> gas, topology = torch.rand(1, 100, 3), Topology.of([0] * 100, 1)
        >>> boxes = 3 * torch.eye(3, dtype=torch.float64)[None]
        >>> grid = {"r_min": 0.2, "cutoff": 1.0}
        >>> nothing = torch.zeros(1, 20, dtype=torch.float64)  # ideal: P = N kT / V
        >>> pair_pressure(gas, boxes, topology, nothing, **grid, temperature=300.0).round()
        tensor([153.], dtype=torch.float64)
    """
    if (temperature is None) == (v is None) or (v is not None and masses is None):
        raise DiffPairError("the pressure needs either a temperature, or velocities and masses")
    volume = torch.linalg.det(boxes).abs()
    if not bool((volume > 0).all()):
        raise DiffPairError("the pressure needs a periodic box in every frame")
    if masses is not None and masses.shape != x.shape[1:2]:
        raise DiffPairError(f"masses need the shape {list(x.shape[1:2])}, not {list(masses.shape)}")
    if v is None or masses is None:
        moving = x.shape[1] if masses is None else int((masses > 0).sum())
        kinetic = 3 * moving * BOLTZMANN * torch.as_tensor(temperature, dtype=torch.float64)
    elif v.shape != x.shape:
        raise DiffPairError(f"velocities need the shape {list(x.shape)} of the positions, not {list(v.shape)}")
    else:
        kinetic = (masses.double()[:, None] * v.double() ** 2).sum((1, 2))
    virial = pair_virial(x, boxes, topology, coefficients, r_min=r_min, cutoff=cutoff)
    return BAR * (kinetic + virial) / (3 * volume)
