"""Measured structure as fit targets: radial distribution functions from files."""

from diffpair.targets.rdf_file import read_rdf
from diffpair.targets.rdf_target import RdfTarget
from diffpair.targets.unit_check import check_unit

__all__ = ["RdfTarget", "check_unit", "read_rdf"]
