"""All checks, one after another."""

from __future__ import annotations

from collections.abc import Iterator

import diffpair
from diffpair.doctor.finding import Finding, one_line
from diffpair.doctor.machine import machine
from diffpair.doctor.platforms import TOPIC, platforms
from diffpair.doctor.versions import versions


def examine() -> Iterator[Finding]:
    """What every check finds, as soon as it has. Nothing that is broken here raises."""
    yield from versions()
    yield from machine()
    try:
        diffpair.load_compiled()
    except ImportError as error:
        text = f"the forces do not load: {one_line(error)}"
        yield Finding(TOPIC, "OpenMM", "problem", text, "Nothing of DiffPair works before that.")
    else:
        yield from platforms()
    try:
        from diffpair.doctor.learning import lammps, learning
    except ImportError as error:  # of NumPy
        yield Finding("learning", "torch operators", "problem", one_line(error), "Install what is missing above.")
        return
    yield from learning()
    yield from lammps()
