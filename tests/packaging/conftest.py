"""Processes of their own, because what is tested is what a fresh interpreter loads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without what would lead the loader or Python to other folders."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "OPENMM_PLUGIN_DIR"}
    return {name: value for name, value in os.environ.items() if name not in hidden} | extra


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python *arguments` from an empty folder."""

    def run(
        *arguments: str, python: str = sys.executable, cwd: Path | None = None, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, *arguments], cwd=cwd or tmp_path, env=clean_environment(**extra), capture_output=True, text=True
        )

    return run


@pytest.fixture
def check_production(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run two_particles.py and check its energies; returns what it printed."""

    def check(*python: str, package: str = "-", **extra: str) -> dict[str, Any]:
        command = [*python, str(HERE / "two_particles.py"), package, str(tmp_path)]
        done = subprocess.run(command, cwd=tmp_path, env=clean_environment(**extra), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        assert result["failures"] == {}
        assert result["energies"]["Reference"] == pytest.approx(result["expected"], rel=1e-12)
        assert result["energies"]["CPU"] == pytest.approx(result["expected"], rel=1e-5)
        assert result["force_errors"]["Reference"] < 1e-9
        assert result["force_errors"]["CPU"] < 1e-3
        return result

    return check


@pytest.fixture(scope="session")
def dynamic_section() -> Callable[[Path, str], list[str]]:
    """A function (library, tag) -> values of a tag (NEEDED, RUNPATH ...) of its dynamic section."""

    def read(library: Path, tag: str) -> list[str]:
        text = subprocess.run(["readelf", "-dW", str(library)], check=True, capture_output=True, text=True).stdout
        return re.findall(rf"\({tag}\).*\[(.*)\]", text)

    return read
