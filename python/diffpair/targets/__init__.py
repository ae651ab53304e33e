"""What was measured, as fit targets: radial distribution functions from files, and pressures."""

from diffpair.targets.pressure_target import PressureTarget
from diffpair.targets.rdf_file import read_rdf
from diffpair.targets.rdf_target import RdfTarget
from diffpair.targets.unit_check import check_unit

Target = RdfTarget | PressureTarget

__all__ = ["PressureTarget", "RdfTarget", "Target", "check_unit", "read_rdf"]
