"""Differentiable trajectories: production frames in, frames that carry gradients out."""

from diffpair.segments.integrators import Integrator, LangevinMiddle, NoseHoover, Verlet, degrees_of_freedom
from diffpair.segments.segment import Topology, checkpoint_interval, run_segment

__all__ = [
    "Integrator",
    "LangevinMiddle",
    "NoseHoover",
    "Topology",
    "Verlet",
    "checkpoint_interval",
    "degrees_of_freedom",
    "run_segment",
]
