"""Updates: from residuals and gradients to new parameters."""

from diffpair.updates.base import Needs, RdfView, StateView, Step, Update
from diffpair.updates.core import continue_core
from diffpair.updates.first_order import FirstOrder
from diffpair.updates.gauss_newton import GaussNewton
from diffpair.updates.inverse_monte_carlo import InverseMonteCarlo
from diffpair.updates.iterative_boltzmann import IterativeBoltzmann
from diffpair.updates.observations import Memory, Observation, Segments
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.pull_back import pull_back
from diffpair.updates.segment_memory import SegmentMemory

__all__ = [
    "FirstOrder",
    "GaussNewton",
    "InverseMonteCarlo",
    "IterativeBoltzmann",
    "Memory",
    "Needs",
    "Observation",
    "ParameterSpace",
    "RdfView",
    "SegmentMemory",
    "Segments",
    "StateView",
    "Step",
    "Update",
    "continue_core",
    "pull_back",
]
