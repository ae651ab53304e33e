"""LAMMPS' binary dump files of style custom, second revision (https://docs.lammps.org/dump.html, tool binary2txt).

A frame is: minus the length of the style's name, the name, the number 1 to tell the order of bytes, the revision, the
step, the number of atoms, whether the box is triclinic, six flags of its boundaries, its bounds, the tilts of a
triclinic one, columns per atom, the units' name, whether a time follows, the names of columns, and for every process
its numbers: their count and the numbers themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError

Array = NDArray[np.float64]
COLUMNS = ("id", "xu", "yu", "zu", "vx", "vy", "vz")
_STYLE = b"DUMPCUSTOM"
_FIXED = struct.Struct(f"=q{len(_STYLE)}siiqqi6i6d")  # up to the bounds
_PERIODIC = (0,) * 6


class Dumped(NamedTuple):
    """A frame. step: of LAMMPS. rows: [N, columns] in the order of the atoms' numbers, without that column. box,
    origin: vectors [3, 3] and lower corner [3] of the box. All in LAMMPS' units."""

    step: int
    rows: Array
    box: Array
    origin: Array


def read_frames(file: Path, atoms: int) -> Iterator[tuple[int, Array, Array, Array]]:
    """The step, positions, velocities [N, 3] and box [3, 3] of every frame, by the atoms' numbers, in LAMMPS' units.

    Raises DiffPairError for a file that is not of these columns and so many atoms.
    """
    for frame in read_dump(file, COLUMNS):
        if len(frame.rows) != atoms:
            raise DiffPairError(f"LAMMPS wrote a frame that cannot be read: {len(frame.rows)} atoms of {atoms}")
        yield frame.step, frame.rows[:, :3], frame.rows[:, 3:], frame.box


def read_dump(file: Path, columns: Sequence[str]) -> Iterator[Dumped]:
    """Every frame of these columns, `id` the first of them. Raises DiffPairError for another file, and where the atoms'
    numbers are not 1 to N."""
    data = file.read_bytes()
    place = 0
    try:
        while place < len(data):
            frame, place = _frame(data, place, columns)
            yield frame
    except (struct.error, ValueError, IndexError) as error:
        raise DiffPairError(f"LAMMPS wrote a frame that cannot be read: {error}") from None


def _frame(data: bytes, place: int, columns: Sequence[str]) -> tuple[Dumped, int]:
    """And where the next one begins."""
    length, style, _, revision, step, _, triclinic, *rest = _FIXED.unpack_from(data, place)
    if (length, style, revision) != (-len(_STYLE), _STYLE, 2):
        raise ValueError("it is of another format")
    place += _FIXED.size
    tilted = struct.unpack_from("=3d", data, place) if triclinic else (0.0, 0.0, 0.0)
    place += 24 * (triclinic != 0)
    count, units = struct.unpack_from("=ii", data, place)
    place += 8 + units
    place += 1 + 8 * (data[place] != 0)
    (names,) = struct.unpack_from("=i", data, place)
    if data[place + 4 : place + 4 + names].split() != [name.encode() for name in columns]:
        raise ValueError("it has other columns")
    place += 4 + names
    (processes,) = struct.unpack_from("=i", data, place)
    place += 4
    parts = []
    for _ in range(processes):
        (size,) = struct.unpack_from("=i", data, place)
        parts.append(np.frombuffer(data, np.float64, size, place + 4))
        place += 4 + 8 * size
    rows = np.concatenate(parts).reshape(-1, count)
    rows = rows[np.argsort(rows[:, 0])]
    if not np.array_equal(rows[:, 0], np.arange(1, len(rows) + 1)):
        raise ValueError(
            f"the IDs of its {len(rows)} atoms are not 1 to {len(rows)}, as LAMMPS' reset_atoms id makes them"
        )
    return Dumped(step, rows[:, 1:], *_box(rest[6:], *tilted)), place


def _box(bounds: Sequence[float], xy: float, xz: float, yz: float) -> tuple[Array, Array]:
    """Vectors and lower corner, from the bounds of all corners."""
    low, high = np.array(bounds[::2]), np.array(bounds[1::2])
    low -= (min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0)
    high -= (max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0)
    x, y, z = high - low
    return np.array([[x, 0.0, 0.0], [xy, y, 0.0], [xz, yz, z]]), low


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
