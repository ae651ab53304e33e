"""Frames taken off the end of an XTC file.

A frame (XDR, big-endian): magic number, number of atoms, step, time, box of nine numbers, and the number of atoms once
more; then positions as floats up to nine atoms, or, of more, precision, bounds and index of the compression, how many
bytes there are, and these, filled up to a multiple of four. The magic number says whether their number has four bytes
or eight (GROMACS, src/gromacs/fileio/xtcio.cpp and libxdrf.cpp).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from diffpair.errors import DiffPairError
from diffpair.model.kept_frames import is_written, too_few

_COUNTS = {1995: ">i", 2023: ">q"}  # by magic number: how the number of bytes is written
_HEADER, _COMPRESSION = 56, 32  # bytes before the positions, and before the number of their bytes
_FEW = 9  # atoms that are not compressed


def keep_frames(path: Path, frames: int) -> None:
    """Shorten an XTC file to so many frames, in place.

    Raises DiffPairError where it holds fewer, or is none.
    """
    if not is_written(path, frames):
        return
    size = os.path.getsize(path)
    with path.open("r+b") as file:
        end = 0
        for _ in range(frames):
            end = _end_of_frame(file, end, path, frames)
            if end > size:
                raise too_few(path, frames)
        file.truncate(end)


def _end_of_frame(file: BinaryIO, start: int, path: Path, frames: int) -> int:
    """Where the frame ends that begins at `start`."""
    file.seek(start)
    header = file.read(_HEADER)
    if not header or (len(header) < _HEADER and start):
        raise too_few(path, frames)
    magic, atoms = struct.unpack_from(">ii", header) if len(header) == _HEADER else (0, 0)
    if magic not in _COUNTS:
        raise DiffPairError(f"{path}: is no XTC file")
    if atoms <= _FEW:
        return start + _HEADER + 12 * atoms
    code = _COUNTS[magic]
    file.seek(_COMPRESSION, os.SEEK_CUR)
    count = file.read(struct.calcsize(code))
    if len(count) < struct.calcsize(code):
        raise too_few(path, frames)
    length = struct.unpack(code, count)[0]
    return file.tell() + length + (-length) % 4
