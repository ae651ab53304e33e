"""What a command tells machines: a JSON object per line."""

from __future__ import annotations

import json
import math
from typing import Any, TextIO


class Events:
    """Writes events to a stream, each at once. Every one has the key `event`; numbers that are not known are null."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def emit(self, event: str, **values: Any) -> None:
        """One line. values: numbers, text, lists and mappings of such."""
        self._stream.write(json.dumps({"event": event} | _known(values), allow_nan=False) + "\n")
        self._stream.flush()


def _known(value: Any) -> Any:
    """The same with null for numbers that are none."""
    if isinstance(value, dict):
        return {str(key): _known(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
