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
class BondedBand:
    """Standard deviation of U(x) of a bonded term, whose mean over what it visits counts as its zero.

    Args:
        kind: types along the chain.
        x: nm or rad, rising, [n].
        sigma: kJ/mol, [n].
    """

    kind: tuple[str, ...]
    x: Array
    sigma: Array

    def document(self) -> dict[str, Any]:
        """What goes into `fit.uncertainty.bonded`."""
        return {"types": list(self.kind), "x": self.x.tolist(), "sigma": self.sigma.tolist()}


@dataclass(frozen=True)
class TableUncertainty:
    """Error band of a learned potential: the standard deviation of U(r) of each pair of types.

    Args:
        types: names of the types.
        r: distances, nm, rising, [n].
        sigma: standard deviation, kJ/mol, [P, n], rows in the order of a table's.
        notes: sentences on what the data leave open.
        bootstrap: as sigma, of what the noise of the samplings alone does, by blocks of them drawn anew; None where
            that was not done.
        bonded: bands of the bonded terms that were learned.
    """

    types: tuple[str, ...]
    r: Array
    sigma: Array
    notes: tuple[str, ...] = ()
    bootstrap: Array | None = None
    bonded: tuple[BondedBand, ...] = ()

    def at(self, r: ArrayLike, a: str = "", b: str = "") -> Array:
        """Standard deviation of U_ab: constant below the first distance, 0 beyond the last.

        Args:
            r: distances, nm, of any shape.
            a: name of one type; the first one if it is not given.
            b: name of the other type; a if it is not given.

        Returns:
            kJ/mol, of the shape of r.

        Raises:
            DiffPairError: an unknown type.
        """
        first, second = a or self.types[0], b or a or self.types[0]
        for name in (first, second):
            if name not in self.types:
                raise DiffPairError(f"type {name!r} is not in the error band, which has {', '.join(self.types)}")
        row = pair_row(self.types.index(first), self.types.index(second), len(self.types))
        return np.asarray(np.interp(np.asarray(r, dtype=np.float64), self.r, self.sigma[row], right=0.0))

    def document(self) -> dict[str, Any]:
        """What goes into `fit.uncertainty` of the potential file."""
        pairs: list[dict[str, Any]] = [
            {"types": list(pair), "sigma": row.tolist()}
            for pair, row in zip(type_pairs(self.types), self.sigma, strict=True)
        ]
        if self.bootstrap is not None:
            for pair, row in zip(pairs, self.bootstrap, strict=True):
                pair["bootstrap"] = row.tolist()
        result = {"r": self.r.tolist(), "pairs": pairs, "notes": list(self.notes)}
        return result | ({"bonded": [band.document() for band in self.bonded]} if self.bonded else {})


def load_uncertainty(path: str | os.PathLike[str]) -> TableUncertainty | None:
    """Read the error band of a potential file.

    Args:
        path: a potential file.

    Returns:
        The band; None if the file has none.

    Raises:
        DiffPairError: the file is no potential, or its band is none; the sentence names the file.
    """
    document = read_document(path)
    section = document["fit"].get("uncertainty")
    if section is None:
        return None
    types = tuple(document["types"])
    try:
        r = np.array(section["r"], dtype=np.float64)
        rows = {frozenset(pair["types"]): pair for pair in section["pairs"]}
        ordered = [rows[frozenset(pair)] for pair in type_pairs(types)]
        sigma = np.array([row["sigma"] for row in ordered], dtype=np.float64)
        given = [row["bootstrap"] for row in ordered if "bootstrap" in row]
        bootstrap = np.array(given, dtype=np.float64) if given else None
        notes = tuple(str(note) for note in section.get("notes", ()))
        bonded = tuple(
            BondedBand(tuple(band["types"]), *(np.array(band[name], dtype=np.float64) for name in ("x", "sigma")))
            for band in section.get("bonded", ())
        )
    except (KeyError, TypeError, ValueError):
        raise DiffPairError(
            f'{Path(path)}: "fit.uncertainty" is not an error band: see docs/reference/file-format.md'
        ) from None
    bands = [sigma] if bootstrap is None else [sigma, bootstrap]
    if not all(_is_band(band) for band in bonded):
        raise DiffPairError(
            f'{Path(path)}: "fit.uncertainty.bonded" is not an error band: see docs/reference/file-format.md'
        )
    if r.ndim != 1 or not len(r) or (np.diff(r) <= 0).any() or any(b.shape != (len(sigma), len(r)) for b in bands):
        raise DiffPairError(f'{Path(path)}: "fit.uncertainty" is not an error band: see docs/reference/file-format.md')
    if any((b < 0).any() for b in [*bands, *(band.sigma for band in bonded)]):
        raise DiffPairError(f'{Path(path)}: "fit.uncertainty" has a negative standard deviation')
    return TableUncertainty(types, r, sigma, notes, bootstrap, bonded)


def _is_band(band: BondedBand) -> bool:
    """Whether x and sigma go together and the types are names."""
    if band.x.ndim != 1 or band.x.shape != band.sigma.shape or not (np.diff(band.x) > 0).all():
        return False
    return all(isinstance(name, str) for name in band.kind)
