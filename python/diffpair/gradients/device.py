"""Where the sums of frames and the segments of a fit are computed: the processor, or a GPU that torch sees."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import diffpair.ops  # noqa: F401  (registers the operators)
from diffpair.engines.frames import Frames
from diffpair.errors import DiffPairError
from diffpair.segments import SumsGrid, SystemForces, Topology

CPU = torch.device("cpu")


def pick_device(name: str) -> torch.device:
    """The device asked for; "auto" is a GPU where torch sees one and the operators were built for it, else the
    processor. Raises DiffPairError for one that is not here."""
    lacks = _missing()
    if name == "cuda" and lacks:
        raise DiffPairError(f"sampling: device = cuda, but {lacks}; leave device out, or give device: cpu")
    return CPU if name == "cpu" or lacks else torch.device("cuda")


def _missing() -> str:
    """What stands in the way of a GPU, in words; empty where nothing does."""
    if torch.version.cuda is None:
        return "this torch was built without CUDA"
    if not torch.cuda.is_available():
        return "torch sees no Nvidia GPU here"
    if not torch._C._dispatch_has_kernel_for_dispatch_key("diffpair::segment", "CUDA"):
        return "DiffPair's operators were built without CUDA, which takes nvcc"
    return ""


def spoken(device: torch.device) -> str:
    """For the user."""
    return "the processor" if device == CPU else f"the GPU {torch.cuda.get_device_name(device)}"


def frame_sums(
    x: Tensor, boxes: Tensor, topology: Topology, grids: list[SumsGrid], single: bool, device: torch.device
) -> list[Tensor]:
    """Sums over pairs of B_k(r) on each grid, [M, P, knots + 2] each, on the processor; see `diffpair.ops.frame_sums`.

    Args:
        x: frames [M, N, 3], float64, in nm; moved to the device once. boxes: [M, 3, 3]. single: distances in float32.
    """
    if device == CPU:
        r_mins, cutoffs, knots = zip(*grids, strict=True)
        result: list[Tensor] = torch.ops.diffpair.frame_sums(
            x, boxes, topology.types, topology.exclusions, topology.num_types, r_mins, cutoffs, knots, single
        )
        return result
    return [sums.cpu() for sums in sums_grid_by_grid(x.to(device), boxes, topology, grids, single)]


def sums_grid_by_grid(
    x: Tensor, boxes: Tensor, topology: Topology, grids: list[SumsGrid], single: bool
) -> list[Tensor]:
    """The same, on the device of x and left there, by one call of `spline_sums` for each grid."""
    if single:
        edges = boxes.to(x.device)  # folded into the box first, before float32 takes their digits
        x = (x - torch.floor(x @ torch.linalg.inv(edges)) @ edges).float()
    return [
        torch.ops.diffpair.spline_sums(x, boxes, topology.types, topology.exclusions, topology.num_types, *grid)
        for grid in grids
    ]


def segment_starts(
    device: torch.device, frames: Frames, chosen: NDArray[np.intp], dtype: torch.dtype, further: SystemForces | None
) -> tuple[Tensor, Tensor]:
    """Positions and velocities [R, N, 3] of chosen frames, for segments with such further forces: on the device, or on
    the processor where there are any, since segments on a GPU know the potential alone."""
    place = CPU if further is not None and further.describe() else device
    x, v = (torch.from_numpy(array[chosen]).to(place, dtype) for array in (frames.positions, frames.velocities))
    return x, v
