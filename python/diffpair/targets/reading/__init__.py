"""Files of a function of one variable, as programs and people write them, to a curve.

In the order of the data flow: ``text`` (bytes to text), ``numbers`` (cells and separators), ``table`` and ``layouts``
(comments, header, rows, blocks), ``names``, ``looks`` and ``columns`` (which column is what), ``points``, ``order`` and
``curve`` (one y for every x).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from diffpair.errors import DiffPairError
from diffpair.targets.reading.columns import choose
from diffpair.targets.reading.curve import curve_of, of_pair
from diffpair.targets.reading.points import Curve
from diffpair.targets.reading.quantity import RDF, VACF, Choice, Quantity
from diffpair.targets.reading.table import read_table
from diffpair.targets.reading.text import read_text

_MOST_COLUMNS = 1000  # the g(r) of all pairs of forty types

__all__ = ["RDF", "VACF", "Choice", "Curve", "Quantity", "read_curve"]


def read_curve(
    path: str | os.PathLike[str], quantity: Quantity, choice: Choice | None = None, pair: Sequence[str] | None = None
) -> Curve:
    """Read a curve from a text file.

    Args:
        path: the file.
        quantity: what it should hold.
        choice: columns and block as the user names them; what is None follows from the file.
        pair: the two types, which may name a column of a file with several pairs.

    Raises:
        DiffPairError: no text, no numbers, or several readings; the sentence shows them and the key that decides.
    """
    path = Path(path)
    choice = choice or Choice()
    text, done = read_text(path, quantity.what)
    table = read_table(path, text, quantity)
    table.done[:0] = done
    if table.width > _MOST_COLUMNS:
        raise DiffPairError(f"{path}: has {table.width} columns, too many for {quantity.what}")
    if pair and choice.block is None:
        table = of_pair(table, pair)
    return curve_of(table, choose(table, choice, quantity, pair), choice, quantity)
