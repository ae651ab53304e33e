"""What `import diffpair` loads, and what it says when something does not fit."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import diffpair

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
OPERATORS = "import diffpair; diffpair.load_torch_operators()"


@pytest.fixture
def package_copy(tmp_path: Path) -> Path:
    """A copy of the package in a folder of its own, to be damaged; it shadows the installed one by PYTHONPATH."""
    folder = tmp_path / "site"
    shutil.copytree(
        Path(diffpair.__file__).parent, folder / "diffpair", ignore=shutil.ignore_patterns("__pycache__"), symlinks=True
    )
    return folder


def write_build_info(folder: Path, openmm: str, torch: str | None) -> None:
    text = f"OPENMM_VERSION = {openmm!r}\nTORCH_VERSION = {torch!r}\n"
    (folder / "diffpair" / "_build_info.py").write_text(text)


def last_line(done: Any) -> str:
    """Type and message of the exception that ended a process."""
    assert done.returncode == 1, done.stdout
    return str(done.stderr.strip().splitlines()[-1])


def test_import_and_production_do_not_import_torch(check_production: Run) -> None:
    assert check_production(sys.executable)["torch_modules"] == []


def blocked(folder: Path, kept: str = "") -> str:
    """PYTHONPATH of the package under test, without what the extra `learn` brings, but for what `kept` needs."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted, here = ({re.split(r"[^\w-]", one)[0] for one in extras.get(name, [])} for name in ("learn", kept))
    assert {"torch", "scipy", "pyyaml"} <= wanted
    folder.mkdir()
    for name in wanted - here:
        module = name.replace("pyyaml", "yaml")
        (folder / f"{module}.py").write_text(f"raise ImportError('{module} is blocked')")
    return f"{folder}{os.pathsep}{Path(diffpair.__file__).parents[1]}"


def test_production_needs_openmm_and_numpy_alone(check_production: Run, tmp_path: Path) -> None:
    """Nothing of the extra `learn`: neither torch nor scipy, ..."""
    check_production(sys.executable, PYTHONPATH=blocked(tmp_path / "blocked"))


def test_reports_need_their_extra_alone(run_python: Run, tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil, diffpair.cli.report, diffpair.cli.compare, diffpair.report.html as html\n"
        "for module in pkgutil.iter_modules(html.__path__, 'diffpair.report.html.'):\n"
        "    importlib.import_module(module.name)"
    )
    done = run_python("-c", code, PYTHONPATH=blocked(tmp_path / "blocked", "report"))
    assert done.returncode == 0, done.stderr


def test_learning_names_are_loaded_on_first_use(run_python: Run) -> None:
    code = (
        "import sys, diffpair; assert 'torch' not in sys.modules; "
        "diffpair.potentials.PairPotential; assert 'torch' in sys.modules; assert 'fit' in dir(diffpair)"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert "no attribute 'potential'" in last_line(run_python("-c", "import diffpair; diffpair.potential"))


def test_operators_load(run_python: Run) -> None:
    code = OPERATORS + "; import torch; diffpair.load_torch_operators(); assert torch.ops.diffpair.segment"
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr


def test_wrapper_shares_the_types_of_openmm(run_python: Run) -> None:
    code = (
        "import sys, diffpair, openmm; assert [n for n in sys.modules if n.startswith('swig_runtime_data')] == "
        "['swig_runtime_data5']; assert issubclass(diffpair.PairTableForce, openmm.Force)"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr


def test_another_openmm_is_named(run_python: Run, package_copy: Path) -> None:
    write_build_info(package_copy, "8.4.0", "2.13.0")
    line = last_line(run_python("-c", "import diffpair", PYTHONPATH=str(package_copy)))
    assert line.startswith("ImportError: DiffPair was built against OpenMM 8.4.0, but OpenMM 8.6.")
    assert "openmm==8.4.*" in line


def test_another_patch_release_of_openmm_is_fine(run_python: Run, package_copy: Path) -> None:
    write_build_info(package_copy, "8.6.99", "2.13.99")
    done = run_python("-c", OPERATORS, PYTHONPATH=str(package_copy))
    assert done.returncode == 0, done.stderr


def test_missing_openmm_is_named(run_python: Run) -> None:
    line = last_line(run_python("-c", "import sys; sys.modules['openmm'] = None; import diffpair"))
    assert line.startswith("ImportError: DiffPair needs OpenMM 8.6, which cannot be imported")
    assert "openmm==8.6.*" in line


def test_another_torch_is_named_by_learning_alone(run_python: Run, package_copy: Path) -> None:
    write_build_info(package_copy, "8.6.1", "2.9.1")
    done = run_python("-c", "import diffpair", PYTHONPATH=str(package_copy))
    assert done.returncode == 0, done.stderr
    line = last_line(run_python("-c", OPERATORS, PYTHONPATH=str(package_copy)))
    assert line.startswith("ImportError: DiffPair was built against torch 2.9.1, but torch 2.13.0")
    assert "torch==2.9.*" in line


def test_missing_torch_is_named(run_python: Run) -> None:
    line = last_line(run_python("-c", "import sys; sys.modules['torch'] = None; " + OPERATORS))
    assert line.startswith("ImportError: learning needs torch 2.13, which cannot be imported")


def test_build_without_torch_is_named(run_python: Run, package_copy: Path) -> None:
    write_build_info(package_copy, "8.6.1", None)
    line = last_line(run_python("-c", OPERATORS, PYTHONPATH=str(package_copy)))
    assert line.startswith("ImportError: this DiffPair was built without torch")


def test_unbuilt_package_is_named(run_python: Run, package_copy: Path) -> None:
    (package_copy / "diffpair" / "_build_info.py").unlink()
    line = last_line(run_python("-c", "import diffpair", PYTHONPATH=str(package_copy)))
    assert line.startswith(f"ImportError: DiffPair's compiled parts are missing from {package_copy / 'diffpair'}")
    assert "make build" in line


def test_damaged_library_is_named(run_python: Run, package_copy: Path) -> None:
    library = package_copy / "diffpair" / "lib" / "libdiffpair_openmm.so"
    library.unlink()
    line = last_line(run_python("-c", "import diffpair", PYTHONPATH=str(package_copy)))
    assert line.startswith(f"ImportError: DiffPair's library {library} cannot be loaded")


def test_failed_platform_plugin_is_remembered_and_others_work(run_python: Run, package_copy: Path) -> None:
    plugins = package_copy / "diffpair" / "lib" / "plugins"
    (plugins / "libdiffpair_openmm_cpu.so").write_bytes(b"not a library")
    (plugins / "libdiffpair_openmm_reference.so").unlink()
    code = "import diffpair; print(*sorted(diffpair.plugin_failures.items()), sep='\\n')"
    done = run_python("-c", code, PYTHONPATH=str(package_copy))
    assert done.returncode == 0, done.stderr
    cpu, reference = done.stdout.splitlines()
    assert "'CPU'" in cpu and "libdiffpair_openmm_cpu.so" in cpu
    assert "'Reference'" in reference and "does not exist" in reference
