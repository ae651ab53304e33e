"""Updates: from residuals and gradients to new parameters."""

from diffpair.updates.base import Needs, StateView, Step, Update
from diffpair.updates.core import continue_core
from diffpair.updates.first_order import FirstOrder
from diffpair.updates.gauss_newton import GaussNewton
from diffpair.updates.observations import Memory, Observation
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.pull_back import pull_back

__all__ = [
    "FirstOrder",
    "GaussNewton",
    "Memory",
    "Needs",
    "Observation",
    "ParameterSpace",
    "StateView",
    "Step",
    "Update",
    "continue_core",
    "pull_back",
]
