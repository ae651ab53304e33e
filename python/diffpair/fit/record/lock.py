"""One fit per folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from diffpair.atomic_file import TEMPORARY
from diffpair.errors import DiffPairError

LOCK = ".fit.lock"
_FOLDERS = (".", "iterations")  # in which a fit writes


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Have the folder for oneself for a while, and remove what a fit that was killed there left half written.

    The operating system holds the lock (flock), and lets go of it however the process ends. Raises DiffPairError:
    another fit has it.
    """
    file = out / LOCK
    # without flock there would be a file that a dead process leaves behind
    lock = FileLock(file, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise DiffPairError(
            f"{out}: another fit is at work in this folder{_who(file)}: end it first, or use another folder"
        ) from None
    except OSError as error:
        raise DiffPairError(f"{out}: cannot be written: {error.strerror or error}") from None
    try:
        with suppress(OSError):  # a full disk: the fit will say so where it matters
            file.write_text(f"process {os.getpid()} on {socket.gethostname()}")
        _sweep(out)
        yield
    finally:
        file.unlink(missing_ok=True)  # one that waits finds that its file has no name, and tries again
        lock.release()


class Locks:
    """The folders that a fit has for itself at present."""

    def __init__(self) -> None:
        self._held: set[Path] = set()
        self._stack = ExitStack()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Folders that are taken meanwhile are free again at the end."""
        stack, held = self._stack, set(self._held)
        try:
            with ExitStack() as self._stack:
                yield
        finally:
            self._stack, self._held = stack, held

    def take(self, out: Path) -> None:
        """Raises DiffPairError where another fit is at work there."""
        if out.resolve() not in self._held:
            self._stack.enter_context(locked(out))
            self._held.add(out.resolve())


def _who(file: Path) -> str:
    try:
        said = file.read_text().strip()
    except OSError:
        return ""
    return f" ({said})" if said else ""


def _sweep(out: Path) -> None:
    for folder in _FOLDERS:
        for path in (out / folder).glob(f".*{TEMPORARY}"):
            path.unlink(missing_ok=True)
