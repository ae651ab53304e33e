"""DiffPair: learns pair potentials from radial distribution functions, and runs them in OpenMM.

`PairTableForce` and `TorchPairForce` are OpenMM Forces; `PairTable` is a potential on its grid of distances. These, and
running with them, need OpenMM and NumPy only. The subpackages that learn import torch, and are loaded when first used.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from diffpair._libraries import load_openmm_plugins, load_torch_operators, plugin_failures

load_openmm_plugins()  # before the wrapper module, which links to what this loads

from diffpair import custom_force, forcefield  # noqa: E402
from diffpair._openmm_forces import PairTableForce, TorchPairForce  # noqa: E402
from diffpair.errors import DiffPairError  # noqa: E402
from diffpair.tables import PairTable  # noqa: E402

PairTableForce.toCustomNonbondedForce = custom_force.to_custom_nonbonded_force
TorchPairForce.toCustomNonbondedForce = custom_force.torch_to_custom_nonbonded_force
forcefield.register()

__version__ = "0.1.0"

__all__ = [
    "DiffPairError",
    "PairTable",
    "PairTableForce",
    "TorchPairForce",
    "load_torch_operators",
    "plugin_failures",
]

_LAZY = (
    "cli",
    "config",
    "engines",
    "fit",
    "gradients",
    "observables",
    "ops",
    "potentials",
    "report",
    "segments",
    "states",
    "targets",
    "updates",
)


def __getattr__(name: str) -> ModuleType:
    if name in _LAZY:
        try:
            return importlib.import_module(f"diffpair.{name}")
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith("diffpair"):
                raise
            message = f"diffpair.{name} needs {error.name}, which is not installed; pip install 'diffpair[learn]'"
            raise ImportError(message) from error
    raise AttributeError(f"module 'diffpair' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
