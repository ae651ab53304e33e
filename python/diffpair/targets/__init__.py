"""What was measured, as fit targets: radial distribution functions, velocity autocorrelations, pressures, densities."""

from diffpair.targets.density_target import DensityTarget
from diffpair.targets.distribution import Distribution
from diffpair.targets.given import Readable, Target, read_targets
from diffpair.targets.pressure_target import PressureTarget
from diffpair.targets.rdf_file import read_rdf
from diffpair.targets.rdf_target import RdfTarget
from diffpair.targets.unit_check import check_unit
from diffpair.targets.vacf_target import VacfTarget, read_vacf

__all__ = [
    "DensityTarget",
    "Distribution",
    "PressureTarget",
    "RdfTarget",
    "Readable",
    "Target",
    "VacfTarget",
    "check_unit",
    "read_rdf",
    "read_targets",
    "read_vacf",
]
