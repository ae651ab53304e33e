"""What is told in one place: the version; and the sdist, which is a checkout without its history."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from diffpair import __version__
from diffpair._libraries import LIBRARY_FOLDER, library_path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT["project"] and PROJECT["project"]["dynamic"] == ["version"]
    assert metadata.version("diffpair") == __version__
    cmake = (ROOT / "CMakeLists.txt").read_text()
    assert "project(diffpair VERSION ${DIFFPAIR_VERSION}" in cmake and __version__ not in cmake
    # Files for readers who have no Python.
    releases = re.findall(r"^## (\S+) \((unreleased|\d{4}-\d\d-\d\d)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert releases[0][0] == __version__
    assert len(releases) == (ROOT / "CHANGELOG.md").read_text().count("\n## ")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__


def test_pythons_are_those_of_the_wheels() -> None:
    told = [line for line in PROJECT["project"]["classifiers"] if ":: Python :: 3." in line]
    built = PROJECT["tool"]["cibuildwheel"]["build"].split()
    assert [f"cp{line.rsplit(' ', 1)[-1].replace('.', '')}-*" for line in told] == built


@pytest.mark.parametrize(("system", "name"), [("linux", "libdiffpair_x.so"), ("darwin", "libdiffpair_x.dylib")])
def test_libraries_are_called_as_on_their_system(system: str, name: str) -> None:
    assert library_path("diffpair_x", "plugins", system) == LIBRARY_FOLDER / "plugins" / name


def test_sdist_holds_all_that_is_tracked_and_nothing_built(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("no checkout: nothing tells which files belong to it")
    command = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("*.tar.gz")
    assert path.name == f"diffpair-{__version__}.tar.gz"
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert sorted(tracked - names) == []
    assert [
        name for name in names if name.endswith((".so", ".o", ".pyc")) or name.startswith("python/diffpair/lib")
    ] == []
    assert not names & {"python/diffpair/_openmm_forces.py", "python/diffpair/_build_info.py"}
