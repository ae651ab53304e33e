"""Differentiable trajectories: production frames in, frames that carry gradients out."""

from diffpair.segments.checkpoints import Checkpoints, plan_checkpoints
from diffpair.segments.integrators import Integrator, LangevinMiddle, NoseHoover, Verlet, degrees_of_freedom
from diffpair.segments.segment import Topology, run_segment

__all__ = [
    "Checkpoints",
    "Integrator",
    "LangevinMiddle",
    "NoseHoover",
    "Topology",
    "Verlet",
    "degrees_of_freedom",
    "plan_checkpoints",
    "run_segment",
]
