"""The checksum in a potential file, which tells a damaged one from a sound one.

A flipped digit is still a number: without a checksum it would be another potential. It covers what the file means and
not how it is written, so that blanks, the order of keys and 1 in place of 1.0 change nothing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from diffpair.errors import DiffPairError

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


def verify(path: Path, document: dict[str, Any], folder_keeps: str) -> None:
    """Compare a document as it was read with the checksum in it, if there is one, and take that out.

    Args:
        folder_keeps: what else the folder of the file still holds, in words, or nothing.

    Raises DiffPairError: it is another one.
    """
    provenance = document.get("provenance")
    if not isinstance(provenance, dict) or KEY not in provenance:
        return
    if provenance[KEY] == checksum(document):
        del provenance[KEY]
        return
    raise DiffPairError(
        f'{path}: its content is not what was written: it is damaged, or was edited by hand; remove "{KEY}" from '
        f'"provenance" if the change is meant{folder_keeps}'
    )


def _plain(value: Any) -> Any:
    """All numbers as floats, as which they are read; integers beyond those as they are."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value
