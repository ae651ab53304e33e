"""How files name a pair of types, and the line in which our own files keep the grid of their spline."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from diffpair.tables import PairTable

_GRID = re.compile(r"spline: r_min (\S+) nm, cutoff (\S+) nm, knots (\d+)")


class Grid(NamedTuple):
    """Knots of a table: the first one and the last one in nm, and how many."""

    r_min: float
    cutoff: float
    knots: int


def section_name(*types: str) -> str:
    """The name of a pair of types in a file: their names, joined by ``_``.

    A name ends at a blank or a ``#`` for LAMMPS, which takes the first section of a name. So what is no ASCII letter,
    digit, ``-`` or ``.`` in a type's name is written as in a URL (``%20``), ``_`` too: no two pairs have the same one.
    """
    return "_".join(quote(name, safe="").replace("_", "%5F").replace("~", "%7E") for name in types)


def types_of(section: str) -> tuple[str, str] | None:
    """The pair of types that a section's name stands for, or None if it is no name of a pair."""
    parts = [unquote(part) for part in section.split("_")]
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None


def grid_line(table: PairTable) -> str:
    """The table's grid in words that `grid_in` reads: a comment in files, so that an import finds the same knots."""
    return f"spline: r_min {table.r_min!r} nm, cutoff {table.cutoff!r} nm, knots {table.knots}"


def grid_in(text: str) -> Grid | None:
    """The grid that a file's comments name, or None."""
    match = _GRID.search(text)
    if match is None:
        return None
    try:
        return Grid(float(match[1]), float(match[2]), int(match[3]))
    except ValueError:
        return None
