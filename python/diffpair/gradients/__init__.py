"""Gradient methods: interchangeable objects that turn dL/d<g> into dL/dc, the table's coefficients."""

from diffpair.gradients.adjoint import DiscreteAdjoint
from diffpair.gradients.base import GradientMethod
from diffpair.gradients.fluctuation import Fluctuation, FrameSums
from diffpair.gradients.target_rows import TargetRows

__all__ = ["DiscreteAdjoint", "Fluctuation", "FrameSums", "GradientMethod", "TargetRows"]
