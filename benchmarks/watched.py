"""A program that another process runs, and what it has used by the time that it has written something."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

POLL = 0.05  # s between two looks at what it has written
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENMM_CPU_THREADS")
TICK = os.sysconf("SC_CLK_TCK")  # per second, of times in /proc


class Watched:
    """A program on one thread in a folder; use it as a context, at whose end the program and its children end.

    Args:
        environment: besides that of this process.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path, **environment: str) -> None:
        self.folder, self._said = folder, folder / "said"
        self._begin, self._paused, self._used = time.monotonic(), 0.0, 0.0
        self._process = subprocess.Popen(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._said.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **dict.fromkeys(THREADS, "1"), **environment},
        )

    @property
    def seconds(self) -> float:
        """Wall time since its start, without pauses."""
        return time.monotonic() - self._begin - self._paused

    @property
    def processor_seconds(self) -> float:
        """Time on a processor of the program and of those of its children that have ended: on a busy machine the better
        measure of one thread's work."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended: what was seen last
            numbers = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            self._used = sum(int(ticks) for ticks in numbers[11:15]) / TICK
        return self._used

    def wait_for(self, pattern: str, limit: float) -> bool:
        """Whether there is a file of this pattern in the folder before the program ends, or has run for `limit` s."""
        while True:
            used, ended = self.processor_seconds, self._process.poll() is not None
            if any(self.folder.glob(pattern)):
                return True
            if ended or self.seconds > limit:
                self._used = used
                return False
            time.sleep(POLL)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """The program stands still, and its clock."""
        begin = time.monotonic()
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)
            self._paused += time.monotonic() - begin

    @property
    def failed(self) -> bool:
        """Whether it has ended by an error."""
        return self._process.poll() not in (None, 0)

    def words(self) -> list[str]:
        """Lines that it has said so far."""
        return self._said.read_text(errors="replace").splitlines()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()
