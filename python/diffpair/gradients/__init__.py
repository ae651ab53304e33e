"""Gradient methods: interchangeable objects that turn dL/d<g> into dL/dc, the table's coefficients."""

from diffpair.gradients.adjoint import CHAOS, Chaos, DiscreteAdjoint, SegmentGradient
from diffpair.gradients.base import GradientMethod
from diffpair.gradients.block_moments import AllFrames, BlockMoments, Blocks, blocks_from, remembered
from diffpair.gradients.device import pick_device, spoken
from diffpair.gradients.dynamics import MakeIntegrator, langevin_middle, nose_hoover, verlet
from diffpair.gradients.fluctuation import Fluctuation
from diffpair.gradients.frame_sums import FrameSums
from diffpair.gradients.reweighting import ReweightedFrames, Reweighting, TooFewFrames
from diffpair.gradients.segment_products import SegmentProducts, segment_products, smooth_vectors
from diffpair.gradients.target_rows import TargetRows

__all__ = [
    "CHAOS",
    "AllFrames",
    "BlockMoments",
    "Blocks",
    "Chaos",
    "DiscreteAdjoint",
    "Fluctuation",
    "FrameSums",
    "GradientMethod",
    "MakeIntegrator",
    "ReweightedFrames",
    "Reweighting",
    "SegmentGradient",
    "SegmentProducts",
    "TargetRows",
    "TooFewFrames",
    "blocks_from",
    "langevin_middle",
    "nose_hoover",
    "pick_device",
    "remembered",
    "segment_products",
    "smooth_vectors",
    "spoken",
    "verlet",
]
