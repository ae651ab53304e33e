"""How many rows a table needs, so that the forces of a program that interpolates it are those of the spline."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffpair.tables import PairTable

Array = NDArray[np.float64]
# Forces at r (nm) of a pair of types, kJ/mol/nm, as a program finds them in a table of so many rows.
Interpolation = Callable[[PairTable, tuple[str, str], int, Array], Array]

# Of a pair's force. In a liquid large forces of pairs cancel: half of 1e-5 keeps those of particles within 1e-5 of
# their root mean square. OpenMM's own forces in single precision are off by 4e-5.
ERROR = 5e-6
_FEWEST, _MOST = 1000, 128000  # rows; a file of the most is about 8 MB per pair of types
# Where forces are compared, in rows from each knot: there the third derivative of U jumps, and the error is largest.
_BESIDE = np.linspace(-2.0, 2.0, 41)


class Resolution(NamedTuple):
    """rows: of each table. error: the largest of all forces, see `force_error`."""

    rows: int
    error: float


def force_error(table: PairTable, rows: int, interpolation: Interpolation) -> float:
    """The largest error of a force, relative to that force, or to a typical one where it is smaller.

    Compared are distances from one knot above r_min to the cutoff: at r_min the force has a kink, and no interpolation
    follows that. The typical force of a pair is the median over the distances where its potential is not 0.
    """
    r = np.add.outer(table.nodes[1:], _BESIDE * table.cutoff / max(rows, _FEWEST)).ravel()
    r = r[(r >= table.r_min + table.spacing) & (r < table.cutoff)]
    worst = 0.0
    for pair in table.pairs:
        force = table.force(r, *pair)
        if np.any(force):
            scale = np.maximum(np.abs(force), np.median(np.abs(force[force != 0])))
            worst = max(worst, float(np.max(np.abs(interpolation(table, pair, rows, r) - force) / scale)))
    return worst


def choose_rows(table: PairTable, interpolation: Interpolation, rows: int | None = None) -> Resolution:
    """As few rows, doubled from 1,000 on, as bring the error to 5e-6; or what is asked for, with its error."""
    if rows is not None:
        return Resolution(rows, force_error(table, rows, interpolation))
    rows = _FEWEST
    while (error := force_error(table, rows, interpolation)) > ERROR and rows < _MOST:
        rows *= 2
    return Resolution(rows, error)
