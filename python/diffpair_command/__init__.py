"""The entry point of the `diffpair` command, outside the package, so that a problem of its import can be told.

While it is at work `import diffpair` leaves OpenMM and the compiled parts alone: a command loads them when it begins to
work, and `--help`, `doctor` and the completion of a shell need none of them.
"""

from __future__ import annotations

import sys

at_work = False  # set by `main` alone: processes that only import this module are workers, which load everything


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Exit status: see `diffpair.cli.main.main`; 2 also where it cannot be loaded."""
    global at_work
    at_work = True
    try:
        from diffpair.cli import main as command
    except ImportError as error:
        advice = "; pip install 'diffpair[learn]'" if error.name and not error.name.startswith("diffpair") else ""
        print(f"diffpair: the command line cannot be loaded ({error}){advice}", file=sys.stderr)
        sys.exit(2)
    command(arguments)
