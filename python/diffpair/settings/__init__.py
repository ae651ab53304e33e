"""What a user chooses: the sections of a fit config, and the objects that Python users make. No torch."""

from diffpair.settings.bonded import Bonded
from diffpair.settings.distributions import Angle, Bond, Dihedral
from diffpair.settings.gradient import Adjoint, Fluctuation, Reweighting
from diffpair.settings.potentials import Potential
from diffpair.settings.sampling import Production, Sampling
from diffpair.settings.start import Start
from diffpair.settings.targets import Density, Pressure, Rdf, Vacf
from diffpair.settings.update import GaussNewton, InverseMonteCarlo, IterativeBoltzmann, TorchOptimizer

__all__ = [
    "Adjoint",
    "Angle",
    "Bond",
    "Bonded",
    "Density",
    "Dihedral",
    "Fluctuation",
    "GaussNewton",
    "InverseMonteCarlo",
    "IterativeBoltzmann",
    "Potential",
    "Pressure",
    "Production",
    "Rdf",
    "Reweighting",
    "Sampling",
    "Start",
    "TorchOptimizer",
    "Vacf",
]
