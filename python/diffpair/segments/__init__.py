"""Differentiable trajectories: production frames in, frames that carry gradients out."""

from diffpair.segments.segment import Topology, run_segment

__all__ = ["Topology", "run_segment"]
