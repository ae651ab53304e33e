"""Which library may need which: torch stays out of production, the core stays inside."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import openmm
import pytest

import diffpair

PACKAGE = Path(diffpair.__file__).parent
OPENMM = Path(openmm.__file__).parent.parent / "OpenMM.libs/lib"
LIBRARIES = sorted(PACKAGE.rglob("*.so"))
Section = Callable[[Path, str], list[str]]
NAMES = [library.name for library in LIBRARIES]


def test_all_libraries_are_there() -> None:
    # A package without one of them would pass every other test of this file.
    expected = {
        "lib/libdiffpair_openmm.so",
        "lib/libdiffpair_openmm_torch.so",
        "lib/libdiffpair_torch_ops.so",
        "lib/plugins/libdiffpair_openmm_reference.so",
        "lib/plugins/libdiffpair_openmm_cpu.so",
        "lib/plugins/libdiffpair_openmm_opencl.so",
        "lib/plugins/libdiffpair_openmm_cuda.so",
        "lib/plugins/libdiffpair_openmm_hip.so",
        "lib/lammps/diffpairplugin.so",
    }
    found = {str(library.relative_to(PACKAGE)) for library in LIBRARIES}
    assert expected <= found
    assert any(name.startswith("_openmm_swig.") for name in found)


@pytest.mark.parametrize("library", LIBRARIES, ids=NAMES)
def test_only_torch_libraries_need_torch(library: Path, dynamic_section: Section) -> None:
    needs_torch = [name for name in dynamic_section(library, "NEEDED") if re.match(r"lib(torch|c10)", name)]
    if "torch" in library.name:
        assert needs_torch, "a library of this name is expected to link torch"
    else:
        assert needs_torch == []


@pytest.mark.parametrize("library", LIBRARIES, ids=NAMES)
def test_operators_do_not_need_openmm_and_nothing_needs_cuda(library: Path, dynamic_section: Section) -> None:
    needed = dynamic_section(library, "NEEDED")
    if library.name.startswith("libdiffpair_torch_ops"):
        assert [name for name in needed if "OpenMM" in name or "openmm" in name] == []
    if library.name == "libdiffpair_torch_ops_cuda.so":  # built only beside a torch that brings CUDA
        return
    # OpenMM's platform brings CUDA in; DiffPair's library alone does not.
    assert [name for name in needed if "cuda" in name.lower() and name != "libOpenMMCUDA.so"] == []


@pytest.mark.parametrize("library", LIBRARIES, ids=NAMES)
def test_core_is_not_exported(library: Path) -> None:
    # The core's namespace is diffpair, the plugin's DiffPairPlugin.
    text = subprocess.run(["nm", "-DC", "--defined-only", str(library)], check=True, capture_output=True, text=True)
    assert [line for line in text.stdout.splitlines() if "diffpair::" in line] == []


@pytest.mark.parametrize("library", LIBRARIES, ids=NAMES)
def test_only_the_torch_operators_use_openmp(library: Path, dynamic_section: Section) -> None:
    uses_openmp = any(name.startswith("libgomp") for name in dynamic_section(library, "NEEDED"))
    assert uses_openmp == (library.name == "libdiffpair_torch_ops.so")


@pytest.mark.parametrize("library", LIBRARIES, ids=NAMES)
def test_search_path_starts_beside_the_file(library: Path, dynamic_section: Section) -> None:
    assert dynamic_section(library, "RPATH") == []
    if library.name == "diffpairplugin.so":  # finds LAMMPS and MPI in the program that loads it
        assert dynamic_section(library, "RUNPATH") == []
        return
    (runpath,) = dynamic_section(library, "RUNPATH")
    assert runpath.split(":")[0].startswith("$ORIGIN")


def test_force_classes_are_linked_by_name_and_not_twice(dynamic_section: Section) -> None:
    for library in LIBRARIES:
        if library.name.startswith(("libdiffpair_openmm_", "_openmm_swig")):
            assert "libdiffpair_openmm.so" in dynamic_section(library, "NEEDED"), library.name
    assert dynamic_section(PACKAGE / "lib" / "libdiffpair_openmm.so", "SONAME") == ["libdiffpair_openmm.so"]


def symbols(library: Path, which: str) -> set[str]:
    """Mangled names of OpenMM's and DiffPair's symbols that are "undefined" or "defined" in a library."""
    command = ["nm", "-D", f"--{which}-only", str(library)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in text.splitlines()}
    return {name for name in names if "OpenMM" in name or "DiffPair" in name}


@pytest.mark.parametrize("platform", ["OpenCL", "CUDA", "HIP"])
def test_device_plugins_find_all_symbols(platform: str, dynamic_section: Section) -> None:
    """Also where the platform is not installed: what is needed of it is OpenMM's common layer, a part of all three."""
    library = PACKAGE / f"lib/plugins/libdiffpair_openmm_{platform.lower()}.so"
    assert f"libOpenMM{platform}.so" in dynamic_section(library, "NEEDED")
    installed = OPENMM / f"plugins/libOpenMM{platform}.so"
    witness = installed if installed.exists() else OPENMM / "plugins/libOpenMMOpenCL.so"
    providers = (OPENMM / "libOpenMM.so", witness, PACKAGE / "lib/libdiffpair_openmm.so")
    offered = set().union(*(symbols(each, "defined") for each in providers))
    needed = symbols(library, "undefined")
    assert any("ComputeContext" in name for name in needed)
    assert needed - offered == set()
