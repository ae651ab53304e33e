"""Frames taken off the end of a DCD file."""

from __future__ import annotations

import struct
from pathlib import Path

from diffpair.errors import DiffPairError
from diffpair.model.kept_frames import is_written, too_few

# Of OpenMM's DCD files: where the number of frames stands, and the number of steps; where the first frame begins.
_FRAMES, _STEPS, _HEADER = 8, 20, 276


def keep_frames(path: Path, frames: int) -> None:
    """Shorten a DCD file that OpenMM has written to so many frames, in place.

    Raises DiffPairError where it holds fewer, or is none.
    """
    if not is_written(path, frames):
        return
    with path.open("r+b") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER or header[4:8] != b"CORD":
            raise DiffPairError(f"{path}: is no DCD file")
        interval = struct.unpack_from("<i", header, 16)[0]
        atoms = struct.unpack_from("<i", header, 268)[0]
        cell = 8 + 48 if struct.unpack_from("<i", header, 48)[0] else 0
        size = cell + 3 * (8 + 4 * atoms)
        length = _HEADER + frames * size
        if file.seek(0, 2) < length:
            raise too_few(path, frames)
        file.truncate(length)
        for place, number in ((_FRAMES, frames), (_STEPS, frames * interval)):
            file.seek(place)
            file.write(struct.pack("<i", number))
