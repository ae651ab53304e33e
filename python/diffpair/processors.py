"""The processors that this process may use."""

from __future__ import annotations

import os


def usable_processors() -> int:
    """How many there are: those of its affinity, where the system has one (macOS has not), or else all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
