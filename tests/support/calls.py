"""What tests ask workers to do; workers import it by name."""

import os
import signal
import time
from pathlib import Path


def number(value: int) -> int:
    return value


def killed_once(value: int, file: str) -> int:
    """The first process that comes here is killed, as by a machine that dies."""
    if not Path(file).exists():
        Path(file).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def hangs_once(value: int, file: str) -> int:
    if not Path(file).exists():
        Path(file).touch()
        time.sleep(60)
    return value


def always_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hangs(seconds: float = 5.0) -> None:
    time.sleep(seconds)


def fails() -> None:
    raise ImportError("no OpenMM here")
