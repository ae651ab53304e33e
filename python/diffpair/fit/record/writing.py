"""What goes into the folder of a fit while it works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from diffpair.fit.record.checkpoint import content_of, save_checkpoint
from diffpair.fit.record.folder import make_folder, save_iteration, save_tables, set_aside
from diffpair.fit.record.iteration import write_history
from diffpair.fit.setup import Setup

if TYPE_CHECKING:
    from diffpair.fit.iterate.loop import FitLoop


@contextmanager
def at_start(setup: Setup, loop: FitLoop) -> Iterator[None]:
    """The potential that the fit started from, for a while."""
    present = setup.space.get()
    if loop.history:
        setup.space.set(loop.history[0].theta)
    try:
        yield
    finally:
        setup.space.set(present)


def move_into(out: Path, setup: Setup, loop: FitLoop, digest: str, used: set[Path]) -> str:
    """Make the folder, and write what there is so far: where the fit starts from, and iterations that were done without
    a folder. Results of an earlier fit there are set aside.

    Args:
        digest: see `fingerprint`. used: files that the fit reads, see `set_aside`.

    Returns: a sentence for the user, or nothing. Raises DiffPairError.
    """
    make_folder(out)
    said, present = set_aside(out, used), setup.space.get()
    with at_start(setup, loop):
        save_tables(out, setup, stem="start")
        # an iteration's potential is the one that its step has led to, and that the next one sampled
        for entry, theta in zip(loop.history, [one.theta for one in loop.history[1:]] + [present], strict=False):
            setup.space.set(theta)
            save_iteration(out, setup, entry.number)
    if loop.history:
        write_progress(out, setup, loop, digest)
    return said


def write_progress(out: Path, setup: Setup, loop: FitLoop, digest: str) -> None:
    """history.json and checkpoint.pt. Raises DiffPairError."""
    write_history(out, loop.history)
    start = [torch.from_numpy(table) for table in setup.wanted]
    grid = list(setup.space.grid)
    save_checkpoint(out, {"config": digest, "grid": grid, "start": start, **content_of(loop)})
