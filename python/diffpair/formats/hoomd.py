"""A potential as arrays for HOOMD-blue's hoomd.md.pair.Table, in one file of NumPy."""

from __future__ import annotations

import io
import json

import numpy as np
from numpy.typing import NDArray

from diffpair.formats.names import section_name
from diffpair.tables import PairTable

Array = NDArray[np.float64]
# HOOMD has no force at all below r_min; the linear part is written out down to 0.


def hoomd_arrays(table: PairTable, points: int) -> bytes:
    """The content of an .npz file, nm and kJ/mol: for each pair A_B arrays ``U_A_B`` and ``F_A_B`` [points], and
    ``r_min`` and ``r_cut``, where HOOMD's grid begins and where it ends, without its end."""
    r = _rows(table, points)
    arrays: dict[str, Array] = {"r_min": np.array(0.0), "r_cut": np.array(table.cutoff)}
    for pair in table.pairs:
        arrays[f"U_{section_name(*pair)}"] = table.energy(r, *pair)
        arrays[f"F_{section_name(*pair)}"] = table.force(r, *pair)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def hoomd_force(table: PairTable, pair: tuple[str, str], points: int, r: Array) -> Array:
    """The force that HOOMD finds at r: on a straight line between rows, the last of which ends in 0 at the cutoff."""
    rows = _rows(table, points)
    return np.interp(r, [*rows, table.cutoff], [*table.force(rows, *pair), 0.0])


def hoomd_commands(table: PairTable, file: str) -> list[str]:
    """Lines of Python that use the file; the System of units is nm, kJ/mol, dalton, and so ps."""
    lines = [
        f"data = numpy.load({file!r})",
        f"pair = hoomd.md.pair.Table(nlist, default_r_cut={table.cutoff!r})",
    ]
    for a, b in table.pairs:
        name = section_name(a, b)
        lines.append(
            f'pair.params[({json.dumps(a)}, {json.dumps(b)})] = dict(r_min=0.0, U=data["U_{name}"], F=data["F_{name}"])'
        )
    return lines


def _rows(table: PairTable, points: int) -> Array:
    return np.linspace(0.0, table.cutoff, points, endpoint=False)
