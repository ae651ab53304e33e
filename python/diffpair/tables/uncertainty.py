"""The error band of a learned potential, as its file holds it. No torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffpair.errors import DiffPairError
from diffpair.tables.document import read_document
from diffpair.tables.pairs import pair_row, type_pairs

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TableUncertainty:
    """Standard deviation of U(r) per pair of types.

    types: names of the types. r: distances in nm, rising, [n]. sigma: kJ/mol, rows in the order of a table's, [npairs,
    n]. notes: sentences on what the data leave open.
    """

    types: tuple[str, ...]
    r: Array
    sigma: Array
    notes: tuple[str, ...] = ()

    def at(self, r: ArrayLike, a: str = "", b: str = "") -> Array:
        """Standard deviation of U_ab in kJ/mol at r in nm, any shape; constant below the first distance, 0 beyond the
        last. Without names, that of the first pair of types. Raises DiffPairError for an unknown type."""
        first, second = a or self.types[0], b or a or self.types[0]
        for name in (first, second):
            if name not in self.types:
                raise DiffPairError(f"type {name!r} is not in the error band, which has {', '.join(self.types)}")
        row = pair_row(self.types.index(first), self.types.index(second), len(self.types))
        return np.asarray(np.interp(np.asarray(r, dtype=np.float64), self.r, self.sigma[row], right=0.0))

    def document(self) -> dict[str, Any]:
        """What goes into `fit.uncertainty` of the potential file."""
        return {
            "r": self.r.tolist(),
            "pairs": [
                {"types": list(pair), "sigma": row.tolist()}
                for pair, row in zip(type_pairs(self.types), self.sigma, strict=True)
            ],
            "notes": list(self.notes),
        }


def load_uncertainty(path: str | os.PathLike[str]) -> TableUncertainty | None:
    """The error band of a potential file; None if it has none. Raises DiffPairError naming the file."""
    document = read_document(path)
    section = document["fit"].get("uncertainty")
    if section is None:
        return None
    types = tuple(document["types"])
    try:
        r = np.array(section["r"], dtype=np.float64)
        rows = {frozenset(pair["types"]): pair["sigma"] for pair in section["pairs"]}
        sigma = np.array([rows[frozenset(pair)] for pair in type_pairs(types)], dtype=np.float64)
        notes = tuple(str(note) for note in section.get("notes", ()))
    except (KeyError, TypeError, ValueError):
        raise DiffPairError(f'{Path(path)}: "fit.uncertainty" is not an error band: see docs/file-format.md') from None
    if r.ndim != 1 or not len(r) or sigma.shape != (len(sigma), len(r)) or (np.diff(r) <= 0).any() or (sigma < 0).any():
        raise DiffPairError(f'{Path(path)}: "fit.uncertainty" is not an error band: see docs/file-format.md')
    return TableUncertainty(types, r, sigma, notes)
