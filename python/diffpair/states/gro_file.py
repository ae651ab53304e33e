"""The first frame of a GROMACS .gro file.

Not by OpenMM's reader, which fails on atom names of one letter, nor by MDTraj's, which renames atoms. The columns are
fixed (https://manual.gromacs.org/current/reference-manual/file-formats.html#gro): five characters each for residue
number, residue name, atom name and atom number, then positions and perhaps velocities, whose width follows from the
distance between their decimal points. Numbers of atoms start again at 0 after 99999 and are not looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError

_NAMES = 20  # characters before the positions


class GroFile(NamedTuple):
    """residues: number and name of each atom's residue. names: of the atoms. positions: [N, 3] nm. box: [3, 3] vectors
    as rows, nm."""

    residues: list[tuple[str, str]]
    names: list[str]
    positions: NDArray[np.float64]
    box: NDArray[np.float64]


def read_gro(path: Path) -> GroFile:
    """Read it. Raises DiffPairError that names the line."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    try:
        count = int(lines[1])
    except (IndexError, ValueError):
        raise DiffPairError(f"{path}, line 2: a .gro file has its number of atoms here") from None
    if count < 1 or len(lines) < count + 3:
        raise DiffPairError(f"{path}: should hold {count} atoms and a box, but ends after line {len(lines)}")
    rows = lines[2 : count + 2]
    positions = np.empty((count, 3))
    width = _width(rows[0])
    for index, row in enumerate(rows):
        try:
            positions[index] = [row[_NAMES + k * width : _NAMES + (k + 1) * width] for k in range(3)]
        except ValueError:
            raise DiffPairError(f"{path}, line {index + 3}: {row!r} is not an atom of a .gro file") from None
    if not np.isfinite(positions).all():
        index = int(np.argmin(np.isfinite(positions).all(axis=1)))
        raise DiffPairError(f"{path}, line {index + 3}: a position is not a finite number")
    residues = [(row[:5].strip(), row[5:10].strip()) for row in rows]
    names = [row[10:15].strip() for row in rows]
    return GroFile(residues, names, positions, _box(path, count + 3, lines[count + 2]))


def _width(row: str) -> int:
    """Characters of one coordinate: from one decimal point to the next."""
    first = row.find(".", _NAMES)
    return row.find(".", first + 1) - first


def _box(path: Path, number: int, line: str) -> NDArray[np.float64]:
    """From v1(x) v2(y) v3(z), and for triclinic boxes v1(y) v1(z) v2(x) v2(z) v3(x) v3(y)."""
    try:
        values = [float(value) for value in line.split()]
    except ValueError:
        values = []
    if len(values) not in (3, 9) or not np.isfinite(values).all():
        raise DiffPairError(f"{path}, line {number}: {line!r} is not the box of a .gro file: 3 or 9 numbers")
    xx, yy, zz, xy, xz, yx, yz, zx, zy = values + [0.0] * (9 - len(values))
    return np.array([[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]])
