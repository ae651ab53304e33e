"""From text to a table: comments, a header, and rows of cells in one or several blocks."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from diffpair.errors import DiffPairError, shortened
from diffpair.targets.reading.layouts import (
    VOTCA_FLAGS,
    labelled_rows,
    lammps_blocks,
    numbered_columns,
    titled_blocks,
    yaml_rows,
)
from diffpair.targets.reading.names import is_pair, role, split_names, told_unit
from diffpair.targets.reading.numbers import Style, find_style, is_number, number
from diffpair.targets.reading.quantity import Quantity

_COMMENT = re.compile(r"[#@!%;*&$]|//")
_INLINE = re.compile(r"[#!%@]|//")
_WORD = re.compile(r"\s*([^\W\d]\w*)")
_LONGEST = 2000, 20_000  # characters of a comment, and of a line with names of columns, that are looked at
_DATA = re.compile(r"\s*[\"']?[+-]?\.?\d")
_COLUMN = re.compile(r"\W*col(?:umn)?s?\.?\s*(\d+)\s*[:=-]\s*(.+)", re.IGNORECASE)
_LEAD = re.compile(r"[#@!%;*/\s]*(?:FIELDS\s|columns?\s*[:=])?\s*", re.IGNORECASE)  # PLUMED: "#! FIELDS r g"
_LEGEND = re.compile(r"@\s*s(\d+)\s+legend\s+\"(.*)\"")
_WITH_ERROR = re.compile(r"@\s*type\s+xydy$", re.IGNORECASE)
_AXIS = re.compile(r"@\s*([xy])axis\s+label\s+\"(.*)\"")


@dataclass(frozen=True)
class Row:
    """A line with numbers: its place in the file, from 1, and its cells."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """Rows of cells.

    names: of the columns, "" where the file gives none. header: the lines above the data that are no comments, and what
    comments say of the unit of x. titles: of the blocks, if they have any. done: what reading had to decide.
    """

    path: Path
    width: int
    names: list[str]
    blocks: list[list[Row]]
    layout: str = "plain"  # or lammps, lammps yaml, votca, grace
    done: list[str] = field(default_factory=list)
    header: str = ""
    titles: list[str] = field(default_factory=list)


def read_table(path: Path, text: str, quantity: Quantity) -> Table:
    """Find the table in a text.

    Raises:
        DiffPairError: no numbers, or separators that can be read in several ways.
    """
    done: list[str] = []
    if (told := yaml_rows(text)) is not None:
        names, blocks = told
        yaml = [[Row(line, cells) for line, cells in block] for block in blocks]
        return Table(path, len(names), names, yaml, "lammps yaml", done)
    comments, content, sets = _lines(text, done)
    style = find_style(path, content)
    if style is None:
        raise DiffPairError(f"{path}: holds no columns of numbers" if content else f"{path}: is empty")
    if style.decimal_comma:
        done.append("commas are decimals")
    rows = [Row(line, style.split(part)) for line, part in content]
    raw = dict(content)
    if (lammps := lammps_blocks(path, rows)) is not None:
        whole, cut = lammps
        if cut:
            done.append(f"the last block, cut short in line {cut}, is left out")
        width = len(whole[0][0].cells)
        return Table(path, width, _names(comments, [], width, quantity), whole, "lammps", done)
    if (turned := labelled_rows(rows)) is not None:
        names, columns = turned
        done.append("rows are read as columns")
        rows = [Row(place, list(cells)) for place, cells in enumerate(zip(*columns, strict=True), start=1)]
        return Table(path, len(columns), names, [rows], "plain", done)
    if (titled := titled_blocks(rows)) is not None:
        return _titled(path, *titled, raw, comments, done, quantity)
    for place, (row, below) in enumerate(itertools.pairwise(rows[:5])):
        if numbered_columns(row, below, quantity):
            done.append(f"line {row.line} numbers the columns")
            rows = rows[:place] + rows[place + 1 :]
            break
    return _plain(path, rows, raw, comments, sets, style, done, quantity)


def _titled(
    path: Path,
    titles: list[list[Row]],
    blocks: list[list[Row]],
    raw: dict[int, str],
    comments: list[tuple[int, str]],
    done: list[str],
    quantity: Quantity,
) -> Table:
    """Blocks, each below its title and perhaps the names of its columns."""
    width = Counter(len(row.cells) for row in blocks[0]).most_common(1)[0][0]
    names, said = [""] * width, []
    for rows in titles:
        lines = [raw[row.line] for row in rows]
        own = [line for line in lines if "x" in map(partial(role, quantity=quantity), split_names(line, width) or ())]
        names = _names([], own, width, quantity) if own else names
        said.append(" ".join(" ".join(line.split()) for line in lines if line not in own))
    if not any(names):
        names = _names([line for line in comments if line[0] < blocks[0][0].line], [], width, quantity)
    return Table(path, width, names, blocks, "plain", done, titles=said)


def _plain(
    path: Path,
    rows: list[Row],
    raw: dict[int, str],
    comments: list[tuple[int, str]],
    sets: list[int],
    style: Style,
    done: list[str],
    quantity: Quantity,
) -> Table:
    start = next((k for k, row in enumerate(rows) if _begins_data(row)), None)
    if start is None:
        if all(len(row.cells) < 2 for row in rows):
            raise DiffPairError(
                f"{path}, line {rows[0].line}: has 1 column, but {quantity.x} and {quantity.y} are needed"
            )
        raise DiffPairError(f"{path}: holds no columns of numbers")
    header, data = rows[:start], rows[start:]
    width = Counter(len(row.cells) for row in data).most_common(1)[0][0]
    while style.separator and width > 2 and all(row.cells[width - 1 :] in ([], [""]) for row in data):
        width -= 1  # a separator at the end of every line
        data = [Row(row.line, row.cells[:width]) for row in data]
    bare = [_without_words(row, width) for row in data]
    cut = [row.line for row, left in zip(data, bare, strict=True) if left is not row]
    if cut:
        done.append(f"words at the end of line {cut[0]}{' and others' if len(cut) > 1 else ''} are left out")
    data = bare
    for row in header:
        if len(row.cells) == width and all(map(is_number, row.cells[1:])):
            raise DiffPairError(f"{path}, line {row.line}: {quantity.x} = {shortened(row.cells[0])} is not a number")
    before = [(line, part) for line, part in comments if line < data[0].line]
    names = _names(before, [raw[row.line] for row in header], width, quantity)
    layout = "grace" if any(part.startswith("@") for _, part in comments) else "plain"
    flags = [row.cells[-1].lower() for row in data if len(row.cells) == width]
    if width > 2 and set(flags) <= VOTCA_FLAGS:
        layout = "votca"
    bounds = [0, *(k for k in range(1, len(data)) if _set_of(data[k], sets) != _set_of(data[k - 1], sets)), len(data)]
    blocks = [data[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]
    above = [told_unit(part) for _, part in before] + [raw[row.line].strip() for row in header]
    return Table(path, width, names, blocks, layout, done, "; ".join(part for part in above if part))


def _set_of(row: Row, sets: list[int]) -> int:
    """How many lines that end a set of Grace stand before a row."""
    return sum(line < row.line for line in sets)


def _lines(text: str, done: list[str]) -> tuple[list[tuple[int, str]], list[tuple[int, str]], list[int]]:
    """Comments and content, each with its line, and the lines with the & that ends a set of Grace."""
    comments, content, sets = [], [], []
    cut = 0
    for place, line in enumerate(text.splitlines(), start=1):
        part = line.strip()
        if not part:
            continue
        if _COMMENT.match(part):
            comments.append((place, part[: _LONGEST[0]]))
            if part[0] == "&":
                sets.append(place)
            continue
        part = line.rstrip()
        if _DATA.match(part):
            short = _INLINE.split(part, maxsplit=1)[0].rstrip()
            before, _, after = short.partition(";")
            if (
                (word := _WORD.match(after))
                and number(word[1]) is None
                and word[1] not in VOTCA_FLAGS
                and before.strip()
            ):
                short = before.rstrip()
            cut += short != part
            part = short
        content.append((place, part))
    if cut:
        done.append(f"comments at the end of {cut} line{'s' if cut > 1 else ''} are left out")
    return comments, content, sets


def _begins_data(row: Row) -> bool:
    values = [number(cell) for cell in row.cells[:2]]
    return len(values) == 2 and None not in values and bool(row.cells[0])


def _without_words(row: Row, width: int) -> Row:
    """A row without the words that follow its numbers."""
    more = row.cells[width:]
    if not more or any(number(cell) is not None for cell in more):
        return row
    return Row(row.line, row.cells[:width])


def _names(comments: list[tuple[int, str]], header: list[str], width: int, quantity: Quantity) -> list[str]:
    """One name per column, from the lines above the data that have as many words, or from comments that say so."""
    header = [text for text in header if len(text) <= _LONGEST[1]]
    lines = [names for text in header if (names := split_names(text, width)) is not None]
    if lines:
        known = [sum(role(name, quantity) is not None for name in names) for names in lines]
        best = max(range(len(lines)), key=lambda line: (known[line], line))
        # A line with units may follow, one with a title may stand before.
        return [" ".join(part for part in parts if part) for parts in zip(*lines[best:], strict=True)]
    told = _told_names(comments, width)
    if any(told):
        return told
    for _, text in reversed(comments):
        names = split_names(_LEAD.sub("", text, count=1), width)
        roles = [role(name, quantity) or ("y" if is_pair(name) else None) for name in names] if names else []
        if names and len(set(roles) - {None}) >= min(2, width) and "x" in roles:
            return names
    return [""] * width


def _told_names(comments: list[tuple[int, str]], width: int) -> list[str]:
    """Names by number: "# column 2: g(r)", or the axes and legends of Grace."""
    names = [""] * width
    legends: dict[int, str] = {}
    axes: dict[str, str] = {}
    for _, text in comments:
        if (match := _COLUMN.match(text)) and 1 <= int(match[1]) <= width:
            names[int(match[1]) - 1] = match[2].strip()
        elif (match := _LEGEND.match(text)) and int(match[1]) + 1 < width:
            legends[int(match[1]) + 1] = match[2].strip()
        elif match := _AXIS.match(text):
            axes[match[1]] = match[2].strip()
    for place, name in legends.items():
        names[place] = names[place] or name
    if width == 3 and any(_WITH_ERROR.match(text) for _, text in comments):
        names[2] = names[2] or "error"
    names[0] = names[0] or axes.get("x", "")
    if width == 2:
        names[1] = names[1] or axes.get("y", "")
    return names
