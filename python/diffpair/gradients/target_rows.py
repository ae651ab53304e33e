"""What a state's targets ask for, as one vector of numbers per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffpair.bonded import BondedTerm
from diffpair.engines.frames import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients.bonded_rows import BondedRows, BondedSums
from diffpair.gradients.density_rows import DensityRows
from diffpair.gradients.device import CPU, frame_sums
from diffpair.gradients.frame_sums import FrameSums
from diffpair.gradients.molecular_response import MolecularResponse
from diffpair.gradients.pressure_rows import PressureRows
from diffpair.gradients.rdf_rows import RdfRows
from diffpair.gradients.rows import FrameTensors, StaticRows
from diffpair.potentials.base import TableGrid
from diffpair.segments import SumsGrid, Topology
from diffpair.states import State, half_of_smallest

Array = NDArray[np.float64]
CHUNK = 64  # frames per operator call


class TargetRows:
    """The rows of residual and Jacobian of a state: those of its RDFs first, then those of further kinds.

    Frames are those of the atoms that have a type, see State.of_typed.

    Args:
        state: with targets. device: where sums over pairs are computed, and segments run: the processor by default.
        bonded: terms of the potential that are learned, the last columns of what is called c.

    Attributes:
        state: without the other atoms.
        rdf, pressure, bonded, density: the rows of each kind. parts: all of them, in the order of the rows.
        target: what is wanted, [rows]. error: its standard errors, 0 where none is given, [rows]. floor: see Rows.
    """

    def __init__(self, state: State, device: torch.device = CPU, bonded: Sequence[BondedTerm] = ()) -> None:
        if not state.targets:
            raise DiffPairError(f"state {state.name!r} has no target")
        whole, self.device = state, device
        self.state = state = state.of_typed()
        self.topology = Topology.of(state.types, len(state.type_names), state.exclusions)
        self.inverse_mass = torch.from_numpy(
            np.divide(1.0, state.masses, out=np.zeros(state.num_atoms), where=np.asarray(state.masses) > 0)
        )
        self.rdf = RdfRows(state, self.topology)
        self.pressure, self.density = PressureRows(whole, self.topology), DensityRows(whole)
        self.bonded, self.bonded_sums = BondedRows(state), BondedSums(state, bonded)
        self.response = MolecularResponse(state, bonded, self.bonded.scales)
        everything = (self.rdf, self.pressure, self.bonded, self.density)
        self.parts: list[StaticRows] = [part for part in everything if len(part)]
        self.target: Array = np.concatenate([part.target for part in self.parts])
        self.error: Array = np.concatenate([part.error for part in self.parts])
        self.floor: Array = np.concatenate([part.floor for part in self.parts])

    def __len__(self) -> int:
        return len(self.target)

    def values(self, x: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """The rows per frame, see StaticRows.values: [M, rows]."""
        return torch.cat([part.values(x, boxes, coefficients, grid) for part in self.parts], dim=1)

    def of_segment(self, x: Tensor, v: Tensor, boxes: Tensor, coefficients: Tensor, grid: TableGrid) -> Tensor:
        """The rows per replica of a segment, see Rows.of_segment: [R, rows]."""
        return torch.cat([part.of_segment(x, v, boxes, coefficients, grid) for part in self.parts], dim=1)

    def of_frames(
        self, frames: Frames, coefficients: Tensor, grid: TableGrid, single: bool = False
    ) -> tuple[Array, Array]:  # fmt: skip
        """The rows per frame, [F, rows], without gradient; and dU/dc, [F, columns]: sums over pairs of B_k(r) on
        `grid`, npairs * (knots + 2) of them, from the same neighbour list, then those of bonded terms. single: with
        distances of RDFs and pairs in float32.

        Where a barostat moves the box, rows of g(r) beyond half of the smallest box are cut from now on."""
        topology, rows, splines = self.topology, [], []
        if self.state.barostat is not None:
            self.rdf.cut(half_of_smallest(frames.boxes))
        grids = [SumsGrid(*grid), *self.rdf.grids]
        with torch.no_grad():
            for start in range(0, len(frames), CHUNK):
                some = frame_tensors(frames, start)
                x, cells = some.x, some.boxes
                first, *others = frame_sums(x, cells, topology, grids, single, self.device)
                splines.append(torch.hstack([first.flatten(1), torch.from_numpy(self.bonded_sums.of_frames(some))]))
                found = [
                    part.of_sums(others, cells)
                    if isinstance(part, RdfRows)
                    else part.of_frames(some, coefficients, grid)
                    for part in self.parts
                ]
                rows.append(torch.cat(found, dim=1))
        return torch.cat(rows).numpy(), torch.cat(splines).numpy()

    def molecular_response(self, frames: Frames) -> Array:
        """See MolecularResponse.of_frames, sum over the frames."""
        chunks = (frame_tensors(frames, start) for start in range(0, len(frames), CHUNK))
        return np.asarray(sum(len(some.x) * self.response.of_frames(some) for some in chunks))

    def recut(self, sums: FrameSums) -> FrameSums:
        """Of frames that were measured piece by piece: where a barostat had rows of g(r) cut under way, they are cut in
        all frames."""
        cut = np.flatnonzero(~self.rdf.compared)
        if not len(cut):
            return sums
        observables = sums.observables.copy()
        observables[:, cut] = self.target[cut]
        return replace(sums, observables=observables)

    def explicit(self, frames: Frames, grid: TableGrid) -> dict[int, Array]:
        """dA/dc at fixed positions of the rows that depend on the table itself: row -> [F, npairs * (knots + 2)]."""
        result: dict[int, Array] = {}
        start = 0
        for part in self.parts:
            chunks = [part.explicit(frame_tensors(frames, i), grid) for i in range(0, len(frames), CHUNK)]
            known = [chunk for chunk in chunks if chunk is not None]
            if known:
                wider = np.pad(torch.cat(known).numpy(), ((0, 0), (0, 0), (0, self.bonded_sums.width)))
                result |= {start + k: values for k, values in enumerate(wider.swapaxes(0, 1))}
            start += len(part)
        return result

    def sigma(self, noise: Array) -> Array:
        """Error that each row's residual is weighed by, see Rows.sigma: [rows]."""
        ends = np.cumsum([len(part) for part in self.parts])
        pieces = np.split(noise, ends[:-1])
        return np.concatenate([part.sigma(piece) for part, piece in zip(self.parts, pieces, strict=True)])


def frame_tensors(frames: Frames, start: int) -> FrameTensors:
    """One chunk of frames as the operators want them."""
    arrays = (frames.positions, frames.boxes, frames.centres, frames.further_virial)
    chunks = (np.ascontiguousarray(array[start : start + CHUNK], dtype=np.float64) for array in arrays)
    return FrameTensors(*map(torch.from_numpy, chunks))
