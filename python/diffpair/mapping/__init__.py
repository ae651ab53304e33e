"""From a trajectory of atoms to beads: targets with errors, structure, System and the config of a fit. No torch."""

from diffpair.mapping.measure import Range
from diffpair.mapping.run import Reading, map_trajectories
from diffpair.mapping.settings import Bead, MapSettings, Molecules, load_map

__all__ = ["Bead", "MapSettings", "Molecules", "Range", "Reading", "load_map", "map_trajectories"]
