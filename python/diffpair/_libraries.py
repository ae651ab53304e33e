"""Loads the compiled parts, in the order they need, and says exactly what is wrong when one does not fit.

Nothing here imports torch except `load_torch_operators`, which only learning calls.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from pathlib import Path

LIBRARY_FOLDER = Path(__file__).resolve().parent / "lib"

# Platforms with a plugin of ours, diffpair_openmm_<name>: every build makes all that OpenMM has on the operating
# system. One is loaded only where OpenMM has that platform, because it links to the platform's library.
PLATFORMS = ("Reference", "CPU", "OpenCL", "CUDA", "HIP")

plugin_failures: dict[str, str] = {}
"""Platform name -> why its plugin did not load; empty when all is well."""

_loaded: dict[str, ctypes.CDLL] = {}
_platform_plugins_loaded: set[str] = set()
_operators_loaded = False


def is_command() -> bool:
    """Whether this process is the `diffpair` command, by its entry point or by `python -m diffpair`.

    In the latter Python imports the package before anything of ours can run, and has not yet put a file's name into
    sys.argv[0]; what it was asked to run is the word before the arguments.
    """
    command = sys.modules.get("diffpair_command")
    if command is not None and command.at_work:
        return True
    asked = sys.orig_argv[len(sys.orig_argv) - len(sys.argv)] if sys.argv and sys.argv[0] == "-m" else ""
    return asked == "diffpair" or (asked.startswith("-") and asked.endswith("mdiffpair"))


def library_path(name: str, folder: str = "", system: str = sys.platform) -> Path:
    """The file of one of DiffPair's libraries; `folder` is the one below `LIBRARY_FOLDER`, "plugins" or none."""
    return LIBRARY_FOLDER / folder / f"lib{name}{'.dylib' if system == 'darwin' else '.so'}"


def _release(version: str) -> str:
    """'8.6.1' -> '8.6': the part of a version within which the libraries' binary interface does not change."""
    return ".".join(version.split("+")[0].split(".")[:2])


def build_versions() -> tuple[str, str | None]:
    """Versions of OpenMM and torch (None: built without) that the compiled parts belong to."""
    try:
        info = importlib.import_module("diffpair._build_info")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"DiffPair's compiled parts are missing from {LIBRARY_FOLDER.parent}; "
            "run 'make build' in a checkout, or install the package with pip"
        ) from error
    return info.OPENMM_VERSION, info.TORCH_VERSION


def check_openmm() -> None:
    """Import OpenMM and make sure that it is the one this build belongs to.

    Raises:
        ImportError: OpenMM is missing, or has another binary interface; the message names both versions.
    """
    built, _ = build_versions()
    pin = f"pip install 'openmm=={_release(built)}.*'"
    try:
        import openmm
    except ImportError as error:
        raise ImportError(
            f"DiffPair needs OpenMM {_release(built)}, which cannot be imported ({error}); {pin}"
        ) from error
    found = openmm.Platform.getOpenMMVersion()
    if _release(found) != _release(built):
        raise ImportError(
            f"DiffPair was built against OpenMM {built}, but OpenMM {found} is installed, and their binary interfaces "
            f"differ; {pin}, or rebuild DiffPair"
        )
    # OpenMM's SWIG table of types: a wrapper made for another layout would be refused by System.addForce much later.
    if "swig_runtime_data5" not in sys.modules:
        others = sorted(name for name in sys.modules if name.startswith("swig_runtime_data")) or ["none"]
        raise ImportError(
            f"OpenMM {found} was wrapped by another SWIG than DiffPair (type table swig_runtime_data5 expected, "
            f"{', '.join(others)} found); {pin}"
        )


def _load(name: str) -> None:
    if name not in _loaded:
        path = library_path(name)
        try:
            _loaded[name] = ctypes.CDLL(str(path))
        except OSError as error:
            raise ImportError(f"DiffPair's library {path} cannot be loaded: {error}") from error


def load_openmm_plugins() -> None:
    """Load the Force classes and the kernels of every platform that OpenMM has here.

    A platform whose plugin fails is left out and recorded in `plugin_failures`.

    Raises:
        ImportError: OpenMM does not fit this build, or the library of the Force classes does not load.
    """
    check_openmm()
    import openmm

    _load("diffpair_openmm")
    registered = {openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())}
    for platform in PLATFORMS:
        path = library_path(f"diffpair_openmm_{platform.lower()}", "plugins")
        if platform not in registered or str(path) in _platform_plugins_loaded:
            continue
        if not path.exists():
            plugin_failures[platform] = f"{path} does not exist"
            continue
        try:
            openmm.Platform.loadPluginLibrary(str(path))
        except Exception as error:  # OpenMM raises its own type or a bare Exception, depending on what failed
            plugin_failures[platform] = str(error)
        else:
            _platform_plugins_loaded.add(str(path))
            plugin_failures.pop(platform, None)


def load_torch_operators() -> None:
    """Import torch and register the operators `torch.ops.diffpair.*`. Calling it again does nothing.

    Raises:
        ImportError: torch is missing or has another version than the build's, or the package was built without torch.
    """
    global _operators_loaded
    if _operators_loaded:
        return
    _, built = build_versions()
    path = library_path("diffpair_torch_ops")
    if built is None:
        raise ImportError(
            "this DiffPair was built without torch, so it runs learned potentials but cannot learn; "
            "pip install 'torch==2.13.*' and rebuild DiffPair"
        )
    pin = f"pip install 'torch=={_release(built)}.*'"
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"learning needs torch {_release(built)}, which cannot be imported ({error}); {pin}"
        ) from error
    found = str(torch.__version__)
    if _release(found) != _release(built):
        raise ImportError(
            f"DiffPair was built against torch {built}, but torch {found} is installed, and their binary interfaces "
            f"differ; {pin}, or rebuild DiffPair"
        )
    # Those for GPUs are built with a torch that has CUDA, and only such a torch can load them.
    on_gpu = library_path("diffpair_torch_ops_cuda")
    for library in (path, on_gpu) if on_gpu.exists() and torch.version.cuda is not None else (path,):
        try:
            torch.ops.load_library(str(library))
        except OSError as error:
            raise ImportError(f"DiffPair's library {library} cannot be loaded: {error}") from error
    _operators_loaded = True
