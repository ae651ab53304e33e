"""The checkpoint of production: what every state has shown so far, with each potential that was tried."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffpair.errors import DiffPairError
from diffpair.fit.record.sealed import Damaged, packed, read_sealed, unpacked, write_sealed

PRODUCTION, KIND, VERSION = "production.pt", "checkpoint of production", 1
# Seconds between two of them, and times as long as the last one took to write: it grows with the run.
EVERY, PART = 2.0, 20.0


class ProductionRecord:
    """What a folder keeps of production, tried potential by tried potential.

    Args:
        out: folder of the fit; None: nothing is kept. key: of all that production depends on; what is there of another
            one counts for nothing. note: for a sentence where the file is damaged.
    """

    def __init__(self, out: Path | None, key: str, note: Callable[[str], None]) -> None:
        self._file, self._key = None if out is None else out / PRODUCTION, key
        self._attempts: list[Any] = []
        self._next = 0.0
        if self._file is None or not self._file.is_file():
            return
        try:
            content = read_sealed(self._file, KIND, VERSION)
        except Damaged as error:
            note(f"{error}: production begins anew, with the fit's potential, which is sound")
        except DiffPairError:  # of another version: nothing of it can be used
            return
        else:
            if content.get("key") == key:
                self._attempts = unpacked(content["attempts"])

    def attempt(self, number: int) -> Any:
        """What is known of a potential; None where that is nothing."""
        return self._attempts[number] if number < len(self._attempts) else None

    def keep(self, number: int, content: Callable[[], Any], now: bool = False) -> None:
        """Write it where it is time to do so, or `now`. Raises DiffPairError."""
        if self._file is None or (not now and time.perf_counter() < self._next):
            return
        begin = time.perf_counter()
        self._attempts = [*self._attempts[:number], content(), *self._attempts[number + 1 :]]
        write_sealed(self._file, KIND, VERSION, {"key": self._key, "attempts": packed(self._attempts)})
        end = time.perf_counter()
        self._next = end + max(EVERY, PART * (end - begin))

    def forget(self) -> None:
        """Production has been reported."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
