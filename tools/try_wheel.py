"""Tries the DiffPair that is installed for this interpreter: production, or with --learn a fit and its report.

    python tools/try_wheel.py [--learn]

No compiler is on PATH. `make test-wheel` runs it where pip has installed nothing but the wheel and what it needs,
cibuildwheel does so for every Python.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Production: the forces on all platforms, in scripts, XML and ForceField files. What needs torch is skipped without it.
TESTS = ("tests/plugin",)
FIT = "examples/lennard_jones/fit.yaml"


def environment() -> dict[str, str]:
    """This one without compilers, and without what would lead to another DiffPair or another torch."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "CXX")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {"PATH": str(Path(sys.executable).parent), "OPENMM_CPU_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run(*arguments: str, cwd: Path) -> None:
    """Run this Python."""
    print("python", *arguments, flush=True)
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment())
    if done.returncode != 0:
        raise SystemExit(f"DiffPair as installed for {sys.executable} does not pass: python {' '.join(arguments)}")


def main() -> None:
    spec = importlib.util.find_spec("diffpair")
    if spec is None or spec.origin is None or Path(spec.origin).is_relative_to(ROOT / "python"):
        raise SystemExit(f"{sys.executable} has no DiffPair of its own: install a wheel, then try again")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run(str(ROOT / "tests/packaging/two_particles.py"), "-", str(folder), cwd=folder)
        if "--learn" in sys.argv[1:]:
            run("-m", "diffpair", "fit", str(ROOT / FIT), "--out", "lj-out", cwd=folder)
            run("-m", "diffpair", "report", "lj-out", cwd=folder)
            run("-m", "diffpair", "run", "lj-out", "--steps", "1000", "--out", "run", cwd=folder)
        else:
            run("-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, cwd=ROOT)


if __name__ == "__main__":
    main()
