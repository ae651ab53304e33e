"""Processors and threads."""

from __future__ import annotations

import os
from collections.abc import Iterator

from diffpair.doctor.finding import Finding
from diffpair.processors import usable_processors

TOPIC = "machine"
_VARIABLES = ("OPENMM_CPU_THREADS", "OMP_NUM_THREADS", "DIFFPAIR_ISA")


def machine() -> Iterator[Finding]:
    """How many processors this process may use, and what the environment says of threads."""
    usable = usable_processors()
    given = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    text = f"{usable} usable"
    if (os.cpu_count() or 1) > usable:
        text += f" of {os.cpu_count()}"
    if given:
        text += f"; {', '.join(f'{name}={value}' for name, value in given.items())}"
    figures = {"processors": usable, "environment": given}
    threads = given.get("OPENMM_CPU_THREADS", "")
    asked = int(threads) if threads.isdecimal() else None
    if asked is not None and asked > usable:
        advice = f"Set OPENMM_CPU_THREADS to {usable} or less."
        text += ": more threads than processors are slower than fewer"
        yield Finding(TOPIC, "processors", "note", text, advice, figures)
        return
    yield Finding(TOPIC, "processors", "ok", text, figures=figures)
