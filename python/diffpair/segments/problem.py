"""What a segment is, apart from its start and from the numbers that have a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

import diffpair.ops  # noqa: F401  (registers the operators, and the class)
from diffpair.segments.checkpoints import Checkpoints
from diffpair.segments.forces import FurtherForces
from diffpair.segments.integrators import Integrator


@dataclass(frozen=True)
class Topology:
    """Who the atoms are and which pairs of them do not interact.

    types: int [N], 0 .. num_types - 1; exclusions: int [E, 2] atom indices.
    """

    types: Tensor
    num_types: int
    exclusions: Tensor = field(default_factory=lambda: torch.empty((0, 2), dtype=torch.int32))

    @classmethod
    def of(cls, types: Sequence[int] | np.ndarray, num_types: int, exclusions: np.ndarray | None = None) -> Topology:
        """From NumPy arrays or lists."""
        pairs = np.empty((0, 2)) if exclusions is None else np.asarray(exclusions).reshape(-1, 2)
        return cls(_int32(types), num_types, _int32(pairs))

    @property
    def num_atoms(self) -> int:
        """N."""
        return int(self.types.numel())


def _int32(values: Sequence[int] | np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.int32))


class SumsGrid(NamedTuple):
    """A grid of `diffpair.ops.spline_sums`, such as where `run_segment_sums` takes its sums; lengths in nm."""

    r_min: float
    cutoff: float
    knots: int


def make_problem(
    topology: Topology,
    inverse_mass: Tensor,
    boxes: Tensor,
    table: SumsGrid,
    timestep: float,
    steps: int,
    frame_every: int,
    checkpoints: Checkpoints,
    integrator: Integrator,
    sums: SumsGrid | None = None,
    forces: FurtherForces | None = None,
) -> torch.ScriptObject:
    """The torch class that `torch.ops.diffpair.segment` takes; arguments as of `run_segment_sums`."""
    problem = torch.classes.diffpair.SegmentProblem(
        topology.types, topology.exclusions, topology.num_types, inverse_mass, boxes
    )
    problem.set_table(*table)
    problem.set_steps(timestep, steps, frame_every)
    problem.set_checkpoints(*checkpoints)
    problem.set_integrator(integrator.name, integrator.settings(inverse_mass))
    if sums is not None:
        problem.set_sums(*sums)
    if forces is not None:
        forces.add_to(problem)
    return problem
