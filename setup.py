"""Builds the compiled parts with CMake and puts them beside the package's modules."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
# What the build adds to the package's folder, besides the extension module: the SWIG proxies, the libraries, the
# forces' headers, and a record of the versions they were built against.
PRODUCTS = ("_openmm_forces.py", "_build_info.py", "lib", "include")
OPENMM_PIN = "8.6"
SWIG_MINIMUM = (4, 4)  # the first with OpenMM's table of SWIG types, swig_runtime_data5
TORCH_PIN = "2.13"


def stop(sentence: str) -> None:
    """End the build with one sentence instead of a traceback."""
    raise SystemExit(f"DiffPair was not built: {sentence}")


def find_package(name: str) -> Path | None:
    """Folder of an installed package, found without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


def find_openmm() -> tuple[Path, str]:
    """Folder of OpenMM's headers and libraries, and its version."""
    package = find_package("openmm")
    if package is None:
        stop(f"OpenMM is not installed; run: pip install 'openmm=={OPENMM_PIN}.*'")
    root = package.parent / "OpenMM.libs"
    if not (root / "include" / "OpenMM.h").is_file():
        stop(
            f"the OpenMM in {package} comes without headers; run: pip install 'openmm=={OPENMM_PIN}.*' (pip's has them)"
        )
    version = importlib.metadata.version("openmm")
    if not version.startswith(OPENMM_PIN + "."):
        stop(f"OpenMM {version} is installed, but {OPENMM_PIN} is needed; run: pip install 'openmm=={OPENMM_PIN}.*'")
    return root, version


def find_torch() -> tuple[Path | None, str | None]:
    """Folder of the torch package and its version; torch is optional."""
    package = find_package("torch")
    if package is None:
        print("DiffPair: torch is not installed; cpp/torch and plugin/torch are left out: production only, no learning")
        return None, None
    version = importlib.metadata.version("torch")
    if not version.startswith(TORCH_PIN + "."):
        stop(f"torch {version} is installed, but {TORCH_PIN} is needed; run: pip install 'torch=={TORCH_PIN}.*'")
    return package, version.split("+")[0]


def find_swig(folder: Path) -> Path:
    """A command that runs pip's SWIG, whose program needs a variable that only its launcher sets."""
    package = find_package("swig")
    libraries = sorted((package / "data" / "share" / "swig").glob("*")) if package else []
    if package is None or not libraries:
        stop("pip's SWIG is not installed (the system's is often too old for OpenMM); run: pip install 'swig>=4.4'")
    version = libraries[-1].name
    if tuple(int(part) for part in version.split(".")[:2]) < SWIG_MINIMUM:
        stop(f"SWIG {version} is installed, but OpenMM's types need 4.4 or newer; run: pip install 'swig>=4.4'")
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "swig"
    text = f'#!/bin/sh\nSWIG_LIB="{libraries[-1]}" exec "{package}/data/bin/swig" "$@"\n'
    if not command.is_file() or command.read_text() != text:
        command.write_text(text)
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return command


def find_program(name: str) -> Path:
    """cmake or ninja: pip's, which need not be on PATH, or else the system's."""
    package = find_package(name)
    beside = [Path(sys.executable).parent / name] + ([package / "data" / "bin" / name] if package else [])
    on_path = shutil.which(name)
    for program in beside + ([Path(on_path)] if on_path else []):
        if program.is_file() and os.access(program, os.X_OK):
            return program
    stop(f"{name} is not installed; run: pip install {name}")
    raise AssertionError


def find_compiler() -> str:
    """The C++ compiler: that of CXX, or g++, which has to be 11 or newer for C++20, or Apple's."""
    command = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(command.split()[0]) is None:
        stop(f"the C++ compiler {command} was not found; install g++ 11 or newer (Debian package: g++)")
    about = subprocess.run([*command.split(), "--version"], capture_output=True, text=True).stdout
    version = subprocess.run([*command.split(), "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    if "Free Software Foundation" in about and int(version.split(".")[0]) < 11:
        stop(f"{command} is version {version}, but 11 or newer is needed (Debian package: g++)")
    return command


class BuildFresh(build):
    """setuptools never removes modules that were deleted since the last build; they would end up in the wheel."""

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class CMakeBuild(build_ext):
    """Configures, builds and installs the CMake project into the folder of the built package."""

    def build_extension(self, ext: Extension) -> None:
        if sys.platform not in ("linux", "darwin"):
            stop(f"on {sys.platform} it is not supported; use Linux, on Windows in its subsystem for Linux (WSL)")
        editable = bool(getattr(self, "editable_mode", False))
        openmm_root, openmm_version = find_openmm()
        torch_root, torch_version = find_torch()
        compiler, cmake, ninja = find_compiler(), find_program("cmake"), find_program("ninja")
        # One folder per environment, so that a rebuild compiles only what changed; editable or not differs in linking.
        key = hashlib.sha256(f"{sys.prefix} {sys.version} {openmm_root} {torch_root}".encode()).hexdigest()[:8]
        folder = ROOT / "build" / f"cmake-{key}"
        swig = find_swig(folder)

        package = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        for folder_of_earlier_build in ("lib", "include"):  # perhaps with torch
            shutil.rmtree(package / folder_of_earlier_build, ignore_errors=True)
        package.mkdir(parents=True, exist_ok=True)
        settings = {
            "CMAKE_MAKE_PROGRAM": ninja,
            "CMAKE_BUILD_TYPE": "Release",
            "CMAKE_INSTALL_PREFIX": package,
            "DIFFPAIR_EDITABLE": "ON" if editable else "OFF",
            "DIFFPAIR_BUILD_TESTS": "ON" if editable else "OFF",
            "OPENMM_ROOT": openmm_root,
            "Python3_EXECUTABLE": sys.executable,
            "SWIG_EXECUTABLE": swig,
            "TORCH_ROOT": torch_root or "",
        }
        definitions = [f"-D{name}={value}" for name, value in settings.items()]
        configure = [cmake, "-S", ROOT, "-B", folder, "-G", "Ninja", "--log-level=NOTICE", *definitions]
        self._call(configure, "configure", compiler)
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
        jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", cores)
        self._call([cmake, "--build", folder, "--parallel", str(jobs)], "compile")
        self._call([cmake, "--install", folder], "install")
        (package / "_build_info.py").write_text(
            '"""Versions that the compiled parts were built against; written by setup.py."""\n\n'
            f'OPENMM_VERSION = "{openmm_version}"\n'
            f"TORCH_VERSION: str | None = {json.dumps(torch_version) if torch_version else None}\n"
        )

    def copy_extensions_to_source(self) -> None:
        """setuptools copies the extension module alone; the libraries would vanish with its temporary folder."""
        super().copy_extensions_to_source()
        source = Path(self.get_ext_fullpath(self.extensions[0].name)).resolve().parent
        self.inplace, inplace = False, self.inplace
        built = Path(self.get_ext_fullpath(self.extensions[0].name)).resolve().parent
        self.inplace = inplace
        for product in PRODUCTS:
            target = source / product
            if target.is_dir():
                shutil.rmtree(target)
            if (built / product).is_dir():
                shutil.copytree(built / product, target)
            elif (built / product).is_file():
                shutil.copy2(built / product, target)

    @staticmethod
    def _call(command: list[str | Path], what: str, compiler: str = "g++") -> None:
        environment = {**os.environ, "CXX": compiler}
        if subprocess.run([str(part) for part in command], env=environment).returncode != 0:
            stop(f"CMake could not {what} it; its messages are above")


setup(
    ext_modules=[Extension("diffpair._openmm_swig", sources=[])],
    cmdclass={"build": BuildFresh, "build_ext": CMakeBuild},
)
