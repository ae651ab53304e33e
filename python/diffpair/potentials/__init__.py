"""Pair potentials u_ab(r; theta) and their tables."""

from diffpair.potentials.analytic import GeneralisedLennardJones, LennardJones, ModifiedMorse, SoftSphere, Yukawa
from diffpair.potentials.base import PairPotential, TableGrid
from diffpair.potentials.bspline import BSpline
from diffpair.potentials.build import Scales, build_potential
from diffpair.potentials.combine import AllPairs, Sum, TemperatureDependent
from diffpair.potentials.mlp import GaussianMLP
from diffpair.potentials.tabulation import Refined, judge, refine, tabulate, tabulation_error, to_table
from diffpair.potentials.user_module import UserModule

__all__ = [
    "AllPairs",
    "BSpline",
    "GaussianMLP",
    "GeneralisedLennardJones",
    "LennardJones",
    "ModifiedMorse",
    "PairPotential",
    "Refined",
    "Scales",
    "SoftSphere",
    "Sum",
    "TableGrid",
    "TemperatureDependent",
    "UserModule",
    "Yukawa",
    "build_potential",
    "judge",
    "refine",
    "tabulate",
    "tabulation_error",
    "to_table",
]
