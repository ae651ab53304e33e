"""States: systems at a temperature and density, with what was measured there."""

from diffpair.states.files import build_from_files
from diffpair.states.from_lammps import build_from_lammps
from diffpair.states.from_simulation import build_from_simulation
from diffpair.states.lattice import build_lattice
from diffpair.states.state import NO_TYPE, State, half_of_smallest
from diffpair.states.system import make_system, own_system, with_molecules
from diffpair.states.validate import check_cutoff, check_targets, check_types
from diffpair.systems.own_forces import acts, beside_potential, has_nonbonded_forces, holds_molecules_only, type_charges

__all__ = [
    "NO_TYPE",
    "State",
    "acts",
    "beside_potential",
    "build_from_files",
    "build_from_lammps",
    "build_from_simulation",
    "build_lattice",
    "check_cutoff",
    "check_targets",
    "check_types",
    "half_of_smallest",
    "has_nonbonded_forces",
    "holds_molecules_only",
    "make_system",
    "own_system",
    "type_charges",
    "with_molecules",
]
