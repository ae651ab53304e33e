"""Layouts that are no plain columns: LAMMPS's averages in blocks, blocks under titles, rows instead of columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from diffpair.errors import DiffPairError
from diffpair.targets.rdf_target import MIN_POINTS
from diffpair.targets.reading.numbers import is_number, number

if TYPE_CHECKING:
    from diffpair.targets.reading.quantity import Quantity
    from diffpair.targets.reading.table import Row

_YAML_NAMES = re.compile(r"^keywords:\s*\[(.*)\]\s*$", re.MULTILINE)
_YAML_STEP = re.compile(r"\s+\d+:\s*$")
_YAML_ROW = re.compile(r"\s*-\s*\[(.*)\]\s*$")
VOTCA_FLAGS = frozenset("iou")  # in range, out of range, undefined


def lammps_blocks(path: Path, rows: list[Row]) -> tuple[list[list[Row]], int | None] | None:
    """Blocks of ``fix ave/time`` in mode vector: "timestep n", then n rows that begin with 1 to n.

    Returns the whole blocks and the line where the last one is cut short (None if it is not); None if the rows are
    nothing of the kind.
    """
    if len(rows) < 3 or _head(rows[0]) is None or [row.cells[0] for row in rows[1:3]] != ["1", "2"]:
        return None
    if len(rows[1].cells) < 3:
        height = _head(rows[0]) or 0
        after = rows[height + 1 : height + 2]
        if len(rows) > height and (not after or _head(after[0]) == height):
            raise DiffPairError(
                f"{path}: has one column beside the numbers of rows, so r is missing: have LAMMPS write c_ID[*] of "
                f"compute rdf"
            )
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


def yaml_rows(text: str) -> tuple[list[str], list[list[tuple[int, list[str]]]]] | None:
    """Blocks of the same fix in a file ``.yaml``: names, and rows of cells with their lines; None for other files.

    A row per line, as LAMMPS writes it, so that messages can name it.
    """
    if (names := _YAML_NAMES.search(text)) is None:
        return None
    blocks: list[list[tuple[int, list[str]]]] = []
    for line, part in enumerate(text.splitlines(), start=1):
        if _YAML_STEP.match(part):
            blocks.append([])
        elif (row := _YAML_ROW.match(part)) and blocks:
            blocks[-1].append((line, [cell.strip() for cell in row[1].strip().removesuffix(",").split(",")]))
    named = [name.strip().strip("'\"") for name in names[1].split(",") if name.strip()]
    if len(blocks) > 1 and len(blocks[-1]) < len(blocks[0]):
        blocks = blocks[:-1]  # cut short
    return (named, blocks) if blocks and blocks[0] else None


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


def titled_blocks(rows: list[Row]) -> tuple[list[list[Row]], list[list[Row]]] | None:
    """Blocks of numbers, each below lines of words, as DL_POLY's RDFDAT has one per pair; None for other files.

    Returns the lines of words above each block, and the blocks. Numbers above the first title are a header.
    """
    titles: list[list[Row]] = []
    blocks: list[list[Row]] = []
    for row in rows:
        if all(number(cell) is None for cell in row.cells):
            if not titles or blocks[-1]:
                titles.append([])
                blocks.append([])
            titles[-1].append(row)
        elif titles:
            blocks[-1].append(row)
        else:
            titles, blocks = [[]], [[row]]
    first = next((k for k, block in enumerate(blocks) if len(block) >= MIN_POINTS), len(blocks))
    if len(blocks) < 2 or any(len(block) < MIN_POINTS for block in blocks[first:]):
        return None
    return (titles[first:], blocks[first:]) if first < len(blocks) else None


def numbered_columns(first: Row, second: Row, quantity: Quantity) -> bool:
    """Whether a row is no data but pandas' numbers of the columns, 0, 1, .., perhaps after an empty cell."""
    if not first.cells or len(second.cells) < 2:  # a line of signs that count as white space has no cells
        return False
    cells = first.cells[1:] if first.cells[0] == "" else first.cells
    if cells != [str(k) for k in range(len(cells))] or len(first.cells) != len(second.cells):
        return False
    if len(cells) < len(first.cells) or len(cells) > 2:
        return True
    # r = 0, g = 1 may be a point, whose next one is near to it; t = 0, C = 1 is one.
    below = number(second.cells[1])
    return quantity.grows is not None and below is not None and abs(below - 1) > 0.5
