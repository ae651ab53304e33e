"""The checksum in a potential file, which tells a damaged one from a sound one.

A flipped digit is still a number: without a checksum it would be another potential. It covers what the file means and
not how it is written, so that blanks, the order of keys and 1 in place of 1.0 change nothing.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

KEY = "sha256"  # in the object `provenance`, which is free: every reader of version 1 takes it


def with_checksum(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its checksum. It holds plain JSON values only."""
    return document | {"provenance": {**document["provenance"], KEY: checksum(document)}}


def checksum(document: dict[str, Any]) -> str:
    """SHA-256 of a document without its checksum, in hexadecimal."""
    provenance = document.get("provenance")
    if isinstance(provenance, dict):
        document = document | {"provenance": {key: value for key, value in provenance.items() if key != KEY}}
    return hashlib.sha256(json.dumps(_plain(document), sort_keys=True).encode()).hexdigest()


def take_checksum(document: dict[str, Any]) -> bool:
    """Take the checksum out of a document as it was read; whether it is that of the document, or there is none."""
    provenance = document.get("provenance")
    if not isinstance(provenance, dict) or KEY not in provenance:
        return True
    wanted = checksum(document)
    return bool(provenance.pop(KEY) == wanted)


def _plain(value: Any) -> Any:
    """All numbers as floats, as which they are read; integers beyond those as they are."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value
