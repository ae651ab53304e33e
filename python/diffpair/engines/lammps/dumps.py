"""LAMMPS' binary dump files of style custom, second revision (https://docs.lammps.org/dump.html, tool binary2txt).

A frame is: minus the length of the style's name, the name, the number 1 to tell the order of bytes, the revision, the
step, the number of atoms, whether the box is triclinic, six flags of its boundaries, its bounds, the tilts of a
triclinic one, columns per atom, the units' name, whether a time follows, the names of columns, and for every process
its numbers: their count and the numbers themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError

Array = NDArray[np.float64]
COLUMNS = ("id", "xu", "yu", "zu", "vx", "vy", "vz")
_STYLE = b"DUMPCUSTOM"
_FIXED = struct.Struct(f"=q{len(_STYLE)}siiqqi6i6d")  # up to the bounds
_PERIODIC = (0,) * 6


def read_frames(file: Path, atoms: int) -> Iterator[tuple[int, Array, Array]]:
    """The step, positions and velocities [N, 3] of every frame, in the order of the atoms' numbers and LAMMPS' units.

    Raises DiffPairError for a file that is not of these columns and so many atoms.
    """
    data = file.read_bytes()
    place = 0
    try:
        while place < len(data):
            step, rows, place = _frame(data, place)
            if rows.shape != (atoms, len(COLUMNS)):
                raise ValueError(f"{len(rows)} atoms of {atoms}")
            sorted_rows = np.empty((atoms, 6))
            sorted_rows[rows[:, 0].astype(int) - 1] = rows[:, 1:]
            yield step, sorted_rows[:, :3], sorted_rows[:, 3:]
    except (struct.error, ValueError, IndexError) as error:
        raise DiffPairError(f"LAMMPS wrote a frame that cannot be read: {error}") from None


def _frame(data: bytes, place: int) -> tuple[int, Array, int]:
    """Its step, its rows, and where the next one begins."""
    length, style, _, revision, step, _, triclinic, *_ = _FIXED.unpack_from(data, place)
    if (length, style, revision) != (-len(_STYLE), _STYLE, 2):
        raise ValueError("it is of another format")
    place += _FIXED.size + 24 * (triclinic != 0)
    columns, units = struct.unpack_from("=ii", data, place)
    place += 8 + units
    place += 1 + 8 * (data[place] != 0)
    (names,) = struct.unpack_from("=i", data, place)
    if data[place + 4 : place + 4 + names].split() != [name.encode() for name in COLUMNS]:
        raise ValueError("it has other columns")
    place += 4 + names
    (processes,) = struct.unpack_from("=i", data, place)
    place += 4
    parts = []
    for _ in range(processes):
        (count,) = struct.unpack_from("=i", data, place)
        parts.append(np.frombuffer(data, np.float64, count, place + 4))
        place += 4 + 8 * count
    return step, np.concatenate(parts).reshape(-1, columns), place


def write_frame(file: Path, kinds: NDArray[np.int64], x: Array, v: Array, box: Array) -> None:
    """A frame of step 0 for LAMMPS' `read_dump`, with the column `type` besides those above.

    Args:
        kinds: LAMMPS' types, from 1. x, v, box: positions, velocities [N, 3] and box vectors [3, 3] in LAMMPS' units.
    """
    xy, xz, yz = tilts(box)
    low = (min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0)
    high = (box[0, 0] + max(0.0, xy, xz, xy + xz), box[1, 1] + max(0.0, yz), box[2, 2])
    bounds = [edge for pair in zip(low, high, strict=True) for edge in pair]
    tilted = is_tilted(box)
    names = " ".join((*COLUMNS, "type")).encode()
    rows = np.column_stack([np.arange(1, len(x) + 1), x, v, kinds])
    file.write_bytes(
        _FIXED.pack(-len(_STYLE), _STYLE, 1, 2, 0, len(x), int(tilted), *_PERIODIC, *bounds)
        + (struct.pack("=3d", xy, xz, yz) if tilted else b"")
        + struct.pack("=iibi", rows.shape[1], 0, 0, len(names))
        + names
        + struct.pack("=ii", 1, rows.size)
        + rows.tobytes()
    )


def tilts(box: Array) -> tuple[float, float, float]:
    """xy, xz and yz of box vectors in OpenMM's reduced form, which is LAMMPS' as well."""
    return float(box[1, 0]), float(box[2, 0]), float(box[2, 1])


def is_tilted(box: Array) -> bool:
    """Whether a box is triclinic."""
    return any(tilts(box))
