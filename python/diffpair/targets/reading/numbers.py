"""Cells of a table: what is a number, and which sign stands between two of them."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffpair.errors import DiffPairError, shortened

_LONGEST = 100  # characters of a number; patterns take the square of a cell's length
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?")
_NO_LETTER = re.compile(r"([+-]?\d*\.\d+)([+-]\d{3})")  # Fortran leaves the E out where the exponent has three digits
_MISSING = re.compile(
    r"|[+-]?nan(?:\(.*\))?|[+-]?inf(?:inity)?|na|n/a|null|none|-+|\*+|[+-]?\d*\.#(?:inf|qnan|ind)\d*", re.IGNORECASE
)
_NUMERIC_LINE = re.compile(r"(?:[\s\d+\-.,;eEdD\"'*]|nan|inf|na|n/a|\b[iou]\b)+", re.IGNORECASE)
_STARTS_LIKE_A_NUMBER = re.compile(r"\s*[\"']?[+-]?\.?\d")
_LABEL = re.compile(r"\s*[A-Za-z][^,;\t\d]{0,60}[,;\t ]")  # the word before a row of numbers
_INNER_COMMA = re.compile(r"(?<=\d),(?=\d)")
_BETWEEN = re.compile(r"[^\s,]\s+[^\s,]")  # white space that separates by itself, not beside a comma


def number(cell: str) -> float | None:
    """The value of a cell; NaN where a program wrote that there is none (nan, NA, an empty cell), None for a word."""
    if len(cell) > _LONGEST:
        return None
    if _NUMBER.fullmatch(cell):
        return float(cell.replace("D", "e").replace("d", "e"))
    if match := _NO_LETTER.fullmatch(cell):
        return float(f"{match[1]}e{match[2]}")
    return math.nan if _MISSING.fullmatch(cell) else None


def is_number(cell: str) -> bool:
    """Whether a cell holds a finite number."""
    value = number(cell)
    return value is not None and math.isfinite(value)


def resolution(cells: Sequence[str]) -> float:
    """The unit in the last place of columns printed with a fixed number of decimals; 0 where exponents are used."""
    if any(re.search(r"[eEdD]", cell) for cell in cells):
        return 0.0
    return 10.0 ** -max((len(cell.partition(".")[2]) for cell in cells), default=0)


@dataclass(frozen=True)
class Style:
    """How the lines of a file are cut: at ``separator`` (None: white space); decimals with a comma or a point."""

    separator: str | None
    decimal_comma: bool = False
    quoted: bool = False

    def split(self, line: str) -> list[str]:
        """The cells of a line, without quotes and white space around them."""
        if self.quoted and self.separator:
            try:
                fields = next(csv.reader([line.strip()], delimiter=self.separator, skipinitialspace=True), [])
            except csv.Error:  # a cell of more characters than csv takes, which is no number
                fields = [line]
        else:
            fields = line.strip().split(self.separator)
        cells = [field.strip().strip("\"'").strip() for field in fields]
        if self.decimal_comma:
            cells = [_INNER_COMMA.sub(".", cell) if _looks_decimal(cell) else cell for cell in cells]
        return cells


def find_style(path: Path, lines: Sequence[tuple[int, str]]) -> Style | None:
    """How numbers are separated in these numbered lines; None if no line holds numbers alone.

    Raises:
        DiffPairError: commas may be read as decimals or between numbers; the sentence shows the readings.
    """
    numeric = [(place, text) for place, text in lines if _NUMERIC_LINE.fullmatch(text)]
    numeric = [(place, text) for place, text in numeric if _STARTS_LIKE_A_NUMBER.match(text)]
    if not numeric:
        unlabelled = [(place, _LABEL.sub("", text)) for place, text in lines]
        numeric = [(place, text) for place, text in unlabelled if _NUMERIC_LINE.fullmatch(text) and len(text) > 1]
    if not numeric:
        return None
    texts = [text.strip() for _, text in numeric]
    if sum('"' in text for text in texts) > len(texts) / 2:
        return _quoted(path, numeric)
    if sum(";" in text for text in texts) > len(texts) / 2:
        return Style(";", _decimals(path, numeric, ";"))
    if not any("," in text for text in texts):
        return Style("\t" if _tabs_separate(texts) else None)
    return _with_commas(path, numeric)


def _with_commas(path: Path, numeric: Sequence[tuple[int, str]]) -> Style:
    """Commas, and no semicolons: are they decimals or separators?"""
    stripped = [(place, text.strip().rstrip(",")) for place, text in numeric]
    with_comma = [(place, text) for place, text in stripped if "," in text]
    between = [(place, text) for place, text in stripped if _BETWEEN.search(text)]
    if any("." in text for _, text in stripped):
        both = [(place, text) for place, text in between if "," in text]
        if 2 * len(both) > len(stripped):
            raise _ambiguous(path, *both[0])
        return Style(",")
    inside = all(len(_INNER_COMMA.findall(text)) == text.count(",") for _, text in with_comma)
    if inside and len(between) == len(stripped):
        return Style("\t" if _tabs_separate([text for _, text in stripped]) else None, decimal_comma=True)
    cells = [text.split(",") for _, text in stripped]
    digits_only = [cell for row in cells for cell in row if re.fullmatch(r"0\d+", cell.strip())]
    spaced = not between and all(part[:1].isspace() for _, text in with_comma for part in text.split(",")[1:])
    # Whole numbers: a g of steps, or decimals. Two cells are r and g, unless one such as 0196 must follow a comma.
    if spaced or (not between and not digits_only and {len(row) for row in cells} == {2}):
        return Style(",")
    raise _ambiguous(path, *max(stripped, key=lambda line: line[1].count(",")))


def _quoted(path: Path, numeric: Sequence[tuple[int, str]]) -> Style:
    outside = re.sub(r'"[^"]*"', "", numeric[0][1])
    separator = next((sign for sign in ";\t," if sign in outside), None)
    if separator is None:
        return Style(None, _decimals(path, numeric, None))
    return Style(separator, _decimals(path, numeric, separator, quoted=True), quoted=True)


def _decimals(path: Path, numeric: Sequence[tuple[int, str]], separator: str | None, quoted: bool = False) -> bool:
    """Whether the cells between separators other than the comma have decimal commas."""
    style = Style(separator, quoted=quoted)
    found: dict[str, tuple[int, str]] = {}
    for place, text in numeric:
        for cell in style.split(text):
            for sign in ",.":
                if sign in cell:
                    found.setdefault(sign, (place, text))
            if "," in cell and not _looks_decimal(cell):
                raise DiffPairError(
                    f"{path}, line {place}: {shortened(text.strip())} has both , and ; (decimals need a point)"
                )
    if len(found) == 2:
        raise DiffPairError(
            f"{path}: line {found['.'][0]} has decimal points and line {found[','][0]} decimal commas; only one of "
            f"them can be meant"
        )
    return "," in found


def _tabs_separate(texts: Sequence[str]) -> bool:
    """Whether tabs alone separate, so that an empty cell is one."""
    return len({text.count("\t") for text in texts}) == 1 and all(
        "\t" in text and not any(" " in cell.strip() for cell in text.split("\t")) for text in texts
    )


def _looks_decimal(cell: str) -> bool:
    return cell.count(",") == 1 and _INNER_COMMA.search(cell) is not None and "." not in cell


def _ambiguous(path: Path, place: int, text: str) -> DiffPairError:
    parts = [part.strip() for part in re.split(r"[,\s]+", text)][:6]
    shown = [" | ".join(parts)]
    for joined in itertools.product((False, True), repeat=len(parts) - 1):
        # two commas in one number are none; fewer than two numbers are no r and g
        if any(joined) and not any(a and b for a, b in itertools.pairwise(joined)) and joined.count(False) >= 1:
            cells = [parts[0]]
            for comma, part in zip(joined, parts[1:], strict=True):
                cells = [*cells[:-1], f"{cells[-1]},{part}"] if comma else [*cells, part]
            shown.append(" | ".join(cells))
    shown = [*shown[:1], *sorted(shown[1:], key=lambda reading: reading.count("|"))][:4]
    return DiffPairError(
        f"{path}, line {place}: {text[:60]!r} can be read as {' or as '.join(shown)}; write decimals with a point, or "
        f"put semicolons between the columns"
    )
