"""A build that cannot work stops with one sentence that says what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "tools" / "check_prerequisites.sh"
Run = Callable[..., Any]


def build_without(*modules: str) -> str:
    """Code that runs setup.py's build as if some packages were not installed."""
    return (
        f"import sys, runpy; sys.modules.update(dict.fromkeys({modules!r})); "
        "sys.argv = ['setup.py', '--quiet', 'build_ext', '--build-lib', 'built', '--build-temp', 'temporary']; "
        f"sys.path.insert(0, {str(ROOT)!r}); runpy.run_path('setup.py', run_name='__main__')"
    )


@pytest.fixture
def source_copy(tmp_path: Path) -> Path:
    """The build's own files, so that nothing is written into the source tree."""
    folder = tmp_path / "source"
    (folder / "python").mkdir(parents=True)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    (folder / "python/diffpair").mkdir()
    shutil.copy(ROOT / "python/diffpair/_version.py", folder / "python/diffpair")
    return folder


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("openmm", "OpenMM is not installed; run: pip install 'openmm==8.6.*'"),
        ("swig", "pip's SWIG is not installed"),
    ],
)
def test_missing_package_stops_the_build(source_copy: Path, run_python: Run, module: str, sentence: str) -> None:
    done = run_python("-c", build_without(module), cwd=source_copy)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "DiffPair" in line]
    assert line.startswith(f"DiffPair was not built: {sentence}")
    assert "Traceback" not in done.stderr


def test_missing_compiler_stops_the_build(source_copy: Path, run_python: Run) -> None:
    done = run_python("-c", build_without(), cwd=source_copy, CXX="no-such-compiler")
    assert done.returncode == 1
    assert "DiffPair was not built: the C++ compiler no-such-compiler was not found; install g++ 11" in done.stderr
    assert "Traceback" not in done.stderr


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def python_with(folder: Path, sitecustomize: str) -> Path:
    """This Python, with something about it changed at its start."""
    (folder / "sitecustomize.py").write_text(sitecustomize)
    return script(folder / "python", f'PYTHONPATH="{folder}" exec "{sys.executable}" "$@"')


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(CHECK)], env={**os.environ, **environment}, capture_output=True, text=True)


def test_prerequisites_are_met_here() -> None:
    done = check(PYTHON=sys.executable)
    assert (done.returncode, done.stderr) == (0, "")


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("DiffPair cannot be built: ")
    return line


def test_missing_programs_are_named() -> None:
    line = refused(check(CXX="no-such-compiler"))
    assert "no-such-compiler" in line and "Debian package: g++" in line
    line = refused(check(PYTHON="no-such-python"))
    assert "no-such-python" in line and "Debian package: python3" in line


def test_old_compiler_is_refused(tmp_path: Path) -> None:
    text = 'case "$1" in --version) echo "g++ 9.4.0 Free Software Foundation";; *) echo 9.4.0;; esac'
    line = refused(check(CXX=str(script(tmp_path / "g++", text))))
    assert "is version 9.4.0, but 11 or newer is needed" in line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("import sys; sys.version_info = (3, 9, 2, 'final', 0)", "is Python 3.9, but 3.11 or newer is needed"),
        (
            "import sys; sys.modules['ensurepip'] = None",
            "has no venv module; install it (Debian package: python3-venv).",
        ),
        (
            "import sysconfig; sysconfig.get_path = lambda *_: '/nowhere'",
            "has no headers (/nowhere/Python.h is missing); install them (Debian package: python3-dev)",
        ),
    ],
    ids=["version", "venv", "headers"],
)
def test_unusable_python_is_refused(tmp_path: Path, change: str, message: str) -> None:
    assert message in refused(check(PYTHON=str(python_with(tmp_path, change))))


@pytest.mark.parametrize("target", ["build", "demo", "test"])
def test_every_make_target_checks_first(target: str) -> None:
    done = subprocess.run(["make", target, "CXX=no-such-compiler"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "DiffPair cannot be built: the C++ compiler no-such-compiler was not found" in done.stderr
