"""DiffPair: learns pair potentials from radial distribution functions, and runs them in OpenMM.

`PairTableForce` and `TorchPairForce` are OpenMM Forces; `PairTable` is a potential on its grid of distances. These, and
running with them, need OpenMM and NumPy only. The subpackages that learn import torch, and are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from diffpair._libraries import is_command, load_openmm_plugins, load_torch_operators, plugin_failures
from diffpair._version import __version__
from diffpair.errors import DiffPairError

if TYPE_CHECKING:
    from diffpair._openmm_forces import PairTableForce, TorchPairForce
    from diffpair.fit import Fit, FitResult, Workers
    from diffpair.settings import (
        Adjoint,
        Density,
        Fluctuation,
        GaussNewton,
        InverseMonteCarlo,
        IterativeBoltzmann,
        Potential,
        Pressure,
        Production,
        Rdf,
        Reweighting,
        Sampling,
        Start,
        TorchOptimizer,
        Vacf,
    )
    from diffpair.states import State
    from diffpair.tables import PairTable
    from diffpair.targets import RdfTarget, VacfTarget

__all__ = [
    "Adjoint",
    "Angle",
    "Bond",
    "Bonded",
    "Density",
    "DiffPairError",
    "Dihedral",
    "Fit",
    "FitResult",
    "Fluctuation",
    "GaussNewton",
    "InverseMonteCarlo",
    "IterativeBoltzmann",
    "PairTable",
    "PairTableForce",
    "Potential",
    "Pressure",
    "Production",
    "Rdf",
    "RdfTarget",
    "Reweighting",
    "Sampling",
    "Start",
    "State",
    "TorchOptimizer",
    "TorchPairForce",
    "Vacf",
    "VacfTarget",
    "Workers",
    "__version__",
    "load_torch_operators",
    "plugin_failures",
]

# What a Python user sets up a fit with, and where it lives: loaded when first used, since a fit imports torch.
_FROM = {
    "fit": ("Fit", "FitResult", "Workers"),
    "settings": (
        "Adjoint", "Angle", "Bond", "Bonded", "Density", "Dihedral", "Fluctuation", "GaussNewton", "InverseMonteCarlo",
        "IterativeBoltzmann", "Potential", "Pressure", "Production", "Rdf", "Reweighting", "Sampling", "Start",
        "TorchOptimizer", "Vacf",
    ),
    "states": ("State",),
    "targets": ("RdfTarget", "VacfTarget"),
}  # fmt: skip
_WHERE = {name: module for module, names in _FROM.items() for name in names}

_LAZY = (
    "cli",
    "config",
    "engines",
    "fit",
    "gradients",
    "mapping",
    "observables",
    "ops",
    "potentials",
    "report",
    "segments",
    "settings",
    "states",
    "targets",
    "trajectories",
    "updates",
)

_COMPILED = ("PairTable", "PairTableForce", "TorchPairForce")


def load_compiled() -> None:
    """Load the compiled parts, and make OpenMM know them. Importing the package does so; calling it again does nothing.

    Raises:
        ImportError: OpenMM does not fit this build, or the library of the Force classes does not load.
    """
    if "PairTableForce" in globals():
        return
    load_openmm_plugins()  # before the wrapper module, which links to what this loads
    from diffpair import forcefield
    from diffpair._openmm_forces import PairTableForce, TorchPairForce
    from diffpair.tables import PairTable, custom_force

    PairTableForce.toCustomNonbondedForce = custom_force.to_custom_nonbonded_force
    TorchPairForce.toCustomNonbondedForce = custom_force.torch_to_custom_nonbonded_force
    forcefield.register()
    globals().update(PairTable=PairTable, PairTableForce=PairTableForce, TorchPairForce=TorchPairForce)


def __getattr__(name: str) -> Any:
    if name in _COMPILED:
        load_compiled()
        return globals()[name]
    module = _WHERE.get(name, name)
    if module in _LAZY:
        try:
            found = importlib.import_module(f"diffpair.{module}")
            return found if module == name else getattr(found, name)
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith("diffpair"):
                raise
            message = f"diffpair.{module} needs {error.name}, which is not installed; pip install 'diffpair[learn]'"
            raise ImportError(message) from error
    raise AttributeError(f"module 'diffpair' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_WHERE, *_COMPILED})


if not is_command():  # which can say what does not fit, and loads them when it needs them
    load_compiled()
