"""Standard output for a command's own words alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def own_stdout() -> Iterator[TextIO]:
    """The stream that is standard output; what anything else prints meanwhile goes to standard error.

    OpenMM's libraries write to standard output themselves, and so may plugins, LAMMPS or a module of the user's.
    """
    stream = sys.stdout
    try:
        number = stream.fileno()
    except (AttributeError, OSError, ValueError):  # not a file, as in tests: the libraries do not write to it
        yield stream
        return
    stream.flush()
    kept = os.dup(number)
    try:
        os.dup2(2, number)
        with open(kept, "w", encoding=stream.encoding, errors=stream.errors, buffering=1, closefd=False) as own:
            yield own
    finally:
        stream.flush()
        os.dup2(kept, number)
        os.close(kept)
