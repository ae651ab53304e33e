"""Differentiable trajectories: production frames in, frames that carry gradients out."""

from diffpair.segments.bridge import Bridge, Difference, SystemForces, refusal
from diffpair.segments.checkpoints import Checkpoints, plan_checkpoints
from diffpair.segments.forces import BondedForces, FurtherForces
from diffpair.segments.integrators import Integrator, LangevinMiddle, NoseHoover, Verlet, degrees_of_freedom
from diffpair.segments.problem import SumsGrid, Topology, make_problem
from diffpair.segments.segment import run_segment, run_segment_sums

__all__ = [
    "BondedForces",
    "Bridge",
    "Checkpoints",
    "Difference",
    "FurtherForces",
    "Integrator",
    "LangevinMiddle",
    "NoseHoover",
    "SumsGrid",
    "SystemForces",
    "Topology",
    "Verlet",
    "degrees_of_freedom",
    "make_problem",
    "plan_checkpoints",
    "refusal",
    "run_segment",
    "run_segment_sums",
]
