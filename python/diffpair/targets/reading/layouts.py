"""Layouts that are no plain columns: LAMMPS's averages in blocks, and rows instead of columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diffpair.errors import DiffPairError
from diffpair.targets.rdf_target import MIN_POINTS
from diffpair.targets.reading.numbers import is_number

if TYPE_CHECKING:
    from diffpair.targets.reading.table import Row

VOTCA_FLAGS = frozenset("iou")  # in range, out of range, undefined


def lammps_blocks(path: Path, rows: list[Row]) -> tuple[list[list[Row]], int | None] | None:
    """Blocks of ``fix ave/time`` in mode vector: "timestep n", then n rows that begin with 1 to n.

    Returns the whole blocks and the line where the last one is cut short (None if it is not); None if the rows are
    nothing of the kind.
    """
    if len(rows) < 3 or _head(rows[0]) is None or [row.cells[0] for row in rows[1:3]] != ["1", "2"]:
        return None
    if len(rows[1].cells) < 3:
        return None
    blocks: list[list[Row]] = []
    place = 0
    while place < len(rows):
        count = _head(rows[place])
        if count is None:
            raise DiffPairError(
                f"{path}, line {rows[place].line}: a block of LAMMPS should begin here, with its time step and "
                f"number of rows"
            )
        block = rows[place + 1 : place + 1 + count]
        if len(block) < count or len(block[-1].cells) < len(block[0].cells):
            if not blocks:
                raise DiffPairError(f"{path}: the only block of rows is cut short in line {rows[-1].line}")
            return blocks, rows[-1].line
        blocks.append(block)
        place += 1 + count
    return blocks, None


def _head(row: Row) -> int | None:
    if len(row.cells) != 2 or not all(cell.isdecimal() for cell in row.cells):
        return None
    return int(row.cells[1]) or None


def labelled_rows(rows: list[Row]) -> tuple[list[str], list[list[str]]] | None:
    """Two to four long rows, each perhaps after a word, as named columns; None if the rows are nothing of the kind."""
    if not 2 <= len(rows) <= 4 or len({len(row.cells) for row in rows}) != 1:
        return None
    if len(rows[0].cells) < MIN_POINTS or not all(is_number(cell) for row in rows for cell in row.cells[1:]):
        return None
    if all(is_number(row.cells[0]) for row in rows):
        return [""] * len(rows), [row.cells for row in rows]
    if any(is_number(row.cells[0]) for row in rows):
        return None
    return [row.cells[0] for row in rows], [row.cells[1:] for row in rows]
