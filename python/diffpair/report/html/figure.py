"""A figure of the page with its words and its data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

Array = NDArray[np.float64]
PALETTE = 6  # colours c0, c1 .. of the style sheet


def color(index: int) -> str:
    """Class of the index-th curve."""
    return f"c{index % PALETTE}"


@dataclass(frozen=True)
class Data:
    """Columns of one length and their headers, for a CSV file of that name; NaN is an empty cell."""

    name: str
    columns: tuple[str, ...]
    values: tuple[Array, ...]

    @property
    def csv(self) -> str:
        """The file: numbers with eight digits."""
        rows = (",".join(_cell(value, 8) for value in row) for row in zip(*self.values, strict=True))
        return "\n".join([",".join(_quoted(column) for column in self.columns), *rows]) + "\n"

    @property
    def file(self) -> str:
        """A name that every file system takes."""
        return re.sub(r"[^\w.+-]+", "-", self.name).strip("-") + ".csv"

    @property
    def link(self) -> str:
        """The file as an address that holds it."""
        return "data:text/csv;charset=utf-8," + quote(self.csv, safe=",.+-")

    @property
    def rows(self) -> list[list[str]]:
        """For a table that is read."""
        return [[_cell(value, 5) for value in row] for row in zip(*self.values, strict=True)]


@dataclass(frozen=True)
class Figure:
    """caption: what is shown. told: its outcome. legend: (classes of the style sheet, words). level, ratio: of a
    target, see `TargetReport`."""

    caption: str
    told: str
    svg: Markup
    legend: Sequence[tuple[str, str]]
    data: Data
    level: str = ""
    ratio: float = 0.0


def _cell(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if np.isfinite(value) else ""


def _quoted(header: str) -> str:
    """A header in CSV, where it may hold names of the user's."""
    return '"' + header.replace('"', '""') + '"' if re.search(r'[",\n\r]', header) else header
