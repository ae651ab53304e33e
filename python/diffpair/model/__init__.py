"""What a fit hands over for production: a System, a structure and a ForceField file in one folder. Needs no torch."""

from diffpair.model.folder import Model, ModelState, Ran, read_model, write_model
from diffpair.model.simulation import Conditions, Run

__all__ = ["Conditions", "Model", "ModelState", "Ran", "Run", "read_model", "write_model"]
