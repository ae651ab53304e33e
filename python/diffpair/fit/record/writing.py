"""What goes into the folder of a fit while it works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.fit.record.checkpoint import content_of, save_checkpoint
from diffpair.fit.record.folder import (
    iteration_files,
    make_folder,
    save_iteration,
    save_tables,
    set_aside,
    table_names,
)
from diffpair.fit.record.iteration import write_history
from diffpair.fit.setup import Setup
from diffpair.tables import PairTable

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
        for number, theta in _led_to(loop, present):
            setup.space.set(theta)
            save_iteration(out, setup, number)
    write_progress(out, setup, loop, digest)
    return said


def mend(out: Path, setup: Setup, loop: FitLoop) -> list[str]:
    """Write again what is damaged or missing of the files that a resumed fit has written: the checkpoint knows it all.

    Returns: sentences for the user. Raises DiffPairError.
    """
    said, present = [], setup.space.get()
    write_history(out, loop.history)
    with at_start(setup, loop):
        if said_now := _damaged(out / f"{name}.json" for name in table_names(setup, "start").values()):
            save_tables(out, setup, stem="start")
            said += said_now
        for number, theta in _led_to(loop, present):
            if said_now := _damaged(iteration_files(out, setup, number)):
                setup.space.set(theta)
                save_iteration(out, setup, number)
                said += said_now
    return [f"{one}; it is written anew" for one in said]


def _led_to(loop: FitLoop, present: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """An iteration's potential is the one that its step has led to, and that the next one sampled."""
    for entry, theta in zip(loop.history, [one.theta for one in loop.history[1:]] + [present], strict=False):
        yield entry.number, theta


def _damaged(files: Iterable[Path]) -> list[str]:
    """What is wrong with the tables in these files."""
    said = []
    for file in files:
        try:
            PairTable.load(file)
        except DiffPairError as error:
            said.append(str(error).split(";")[0])
    return said


def write_progress(out: Path, setup: Setup, loop: FitLoop, digest: str) -> None:
    """history.json and checkpoint.pt, the last of what an iteration writes. Raises DiffPairError."""
    write_history(out, loop.history)
    start = [torch.from_numpy(table) for table in setup.wanted]
    grid = list(setup.space.grid)
    save_checkpoint(out, {"config": digest, "grid": grid, "start": start, **content_of(loop)})
