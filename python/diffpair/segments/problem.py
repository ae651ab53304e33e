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

    Args:
        types: of every atom, int32 [N], 0 .. num_types - 1.
        num_types: number of types, T.
        exclusions: indices of atoms that do not interact, int32 [E, 2].

    Examples:
        >>> from diffpair.segments import Topology
        >>> Topology.of([0, 1, 1], 2, exclusions=np.array([(0, 1)])).num_atoms
        3
    """

    types: Tensor
    num_types: int
    exclusions: Tensor = field(default_factory=lambda: torch.empty((0, 2), dtype=torch.int32))

    @classmethod
    def of(cls, types: Sequence[int] | np.ndarray, num_types: int, exclusions: np.ndarray | None = None) -> Topology:
        """From NumPy arrays or lists.

        Args:
            types: of every atom, [N], 0 .. num_types - 1.
            num_types: number of types, T.
            exclusions: indices of atoms that do not interact, [E, 2], or None.

        Returns:
            The topology.
        """
        pairs = np.empty((0, 2)) if exclusions is None else np.asarray(exclusions).reshape(-1, 2)
        return cls(_int32(types), num_types, _int32(pairs))

    @property
    def num_atoms(self) -> int:
        """N, the number of atoms."""
        return int(self.types.numel())


def _int32(values: Sequence[int] | np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.int32))


class SumsGrid(NamedTuple):
    """A grid of the operator `spline_sums`, such as where `run_segment_sums` takes its sums.

    Args:
        r_min: first knot, nm.
        cutoff: last knot, nm.
        knots: number of knots.
    """

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
    """What `torch.ops.diffpair.segment` takes beside its start and the numbers that have a gradient.

    Args:
        topology: types and exclusions.
        inverse_mass: 1/amu, [N], float64; 0 holds an atom where it is.
        boxes: nm, [R, 3, 3] in reduced form, float64; zeros for no periodicity.
        table: grid of the potential.
        timestep: ps.
        steps: number of steps; a multiple of frame_every.
        frame_every: steps between frames.
        checkpoints: what is kept for the backward.
        integrator: of the segment.
        sums: grid of spline sums of every frame; None for none.
        forces: what acts beside the table.

    Returns:
        A `torch.classes.diffpair.SegmentProblem`.

    Raises:
        RuntimeError: shapes or numbers that do not fit.
    """
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
