"""Files of tensors and plain values with a checksum, from which reading executes nothing."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffpair.atomic_file import write_atomically
from diffpair.errors import DiffPairError

# The header line: this, what the file is, its version, and SHA-256 of all that and of what follows the line.
_MAGIC = b"diffpair"
_LONGEST = 200  # bytes of a header


class Damaged(DiffPairError):
    """A file is not what was written."""


def write_sealed(path: Path, kind: str, version: int, content: dict[str, Any]) -> None:
    """Write tensors, numbers, text, lists and dicts. The file is the old one or the complete new one.

    Raises DiffPairError if it cannot be written.
    """
    memory = io.BytesIO()
    torch.save(packed(content), memory)  # a NumPy number would make a file that is refused
    body = memory.getvalue()
    write_atomically(path, sealed(body, kind, version))


def sealed(body: bytes, kind: str, version: int) -> bytes:
    """With its header."""
    begin = b"%s %s %d " % (_MAGIC, kind.replace(" ", "-").encode(), version)
    return begin + _digest(begin, body) + b"\n" + body


def read_sealed(path: Path, kind: str, version: int) -> dict[str, Any]:
    """What was written. Raises Damaged; DiffPairError for a file of another kind or version."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DiffPairError(f"{path}: cannot be read: {error.strerror or error}") from None
    words = raw[:_LONGEST].split(b"\n", 1)[0].split(b" ")
    if words[0] != _MAGIC or len(words) != 4:
        earlier = _earlier_version(raw)
        if earlier is not None:
            raise _another_version(path, kind, earlier, version)
        raise Damaged(f"{path} is not a {kind} of a fit, or is damaged")
    if not is_sound(raw):
        raise Damaged(f"{path} is damaged: its content does not match its checksum")
    what, found = words[1].decode().replace("-", " "), words[2].decode()
    if what != kind:
        raise DiffPairError(f"{path} is not a {kind} of a fit but a {what}")
    if found != str(version):
        raise _another_version(path, kind, found, version)
    content = _opened(raw[raw.index(b"\n") + 1 :])
    if content is None:
        raise Damaged(f"{path} is not a {kind} of a fit, or is damaged")
    return content


def is_sound(raw: bytes) -> bool:
    """Whether the bytes of a file are those that were written."""
    header, _, body = raw.partition(b"\n")
    begin, space, digest = header.rpartition(b" ")
    return digest == _digest(begin + space, body)


def _digest(begin: bytes, body: bytes) -> bytes:
    return hashlib.sha256(begin + body).hexdigest().encode()


def _opened(body: bytes) -> dict[str, Any] | None:
    """What torch.save has made of a dict; None where that is not so. Executes nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:  # torch.save packs nothing, and would unpack 1 MB to 1 GB
            plain = all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        content = torch.load(io.BytesIO(body), weights_only=True) if plain else None
    except Exception:  # torch and zipfile raise many kinds for damaged bytes
        return None
    return content if isinstance(content, dict) else None


def _earlier_version(raw: bytes) -> str | None:
    """Of a checkpoint from before there were checksums; None for what is none."""
    content = _opened(raw)
    return str(content["version"]) if content is not None and isinstance(content.get("version"), int) else None


def _another_version(path: Path, kind: str, found: str, version: int) -> DiffPairError:
    return DiffPairError(
        f"{path} was written by another version of diffpair: it is a {kind} of version {found}, and this one reads "
        f"version {version}; go on with the diffpair that wrote it, or start anew without --resume"
    )


def packed(value: Any) -> Any:
    """Arrays as tensors, dataclasses as dicts, all the way down.

    Arrays are copied and keep the order of their axes in memory: on that the last bits of later sums depend.
    """
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value))
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: packed(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: packed(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [packed(entry) for entry in value]
    return value


def unpacked(value: Any) -> Any:
    """Tensors as arrays again, all the way down."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, dict):
        return {key: unpacked(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [unpacked(entry) for entry in value]
    return value
