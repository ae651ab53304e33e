"""The forces as a C++ program without Python uses them: compiled here against the installed package, then run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openmm
import pytest

import diffpair._openmm_forces as openmm_forces

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = Path(openmm_forces.__file__).parent / "lib"
OPENMM = Path(openmm.__file__).parent.parent / "OpenMM.libs"


def compiled(source: str, target: Path, *options: str) -> Path:
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    includes = [f"-I{ROOT}/plugin/api/include", f"-I{OPENMM}/include"]
    libraries = [str(LIBRARIES / "libdiffpair_openmm.so"), str(OPENMM / "lib/libOpenMM.so")]
    rpath = f"-Wl,-rpath,{LIBRARIES}:{OPENMM}/lib,--allow-shlib-undefined"
    file = ROOT / "tests/plugin/cpp" / source
    command = ["g++", "-std=c++17", "-O0", *options, str(file), *includes, *libraries, rpath, "-o", str(target)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return target


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    return compiled("TestForces.cpp", tmp_path_factory.mktemp("cpp") / "test_forces")


def test_program(program, power, tmp_path):
    (tmp_path / "power.pt").write_bytes(power.save_to_buffer())
    arguments = [str(OPENMM / "lib/plugins"), str(LIBRARIES / "plugins"), str(tmp_path / "power.pt")]
    result = subprocess.run([str(program), *arguments], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert (result.returncode, result.stdout) == (0, "all right\n"), result.stderr


def test_program_does_not_link_python_or_torch(program):
    listed = subprocess.run(
        ["readelf", "-d", str(program), str(LIBRARIES / "libdiffpair_openmm.so")], capture_output=True, text=True
    )
    needed = [line for line in listed.stdout.splitlines() if "NEEDED" in line]
    assert any("libdiffpair_openmm.so" in line for line in needed)
    assert not any(word in line for line in needed for word in ("torch", "c10", "python"))


def test_threads(tmp_path):
    folders = (f"-I{ROOT}/plugin/cpu", f"-I{ROOT}/cpp/include")
    program = compiled("TestThreadTeam.cpp", tmp_path / "test_threads", "-O2", "-pthread", *folders)
    result = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout) == (0, "all right\n")
