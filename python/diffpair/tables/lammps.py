"""A potential as LAMMPS reads it: the file of pair_style table, in units real (Angstrom, kcal/mol)."""

from __future__ import annotations

import json
from urllib.parse import quote

import numpy as np

from diffpair.bonded import BondedTerm
from diffpair.errors import DiffPairError
from diffpair.tables.lammps_bonded import bonded_commands, bonded_sections
from diffpair.tables.pair_table import PairTable

_KJ_PER_KCAL = 4.184
_ANGSTROM_PER_NM = 10.0
# LAMMPS stops when a distance is below the first row; the linear part below r_min is written out down to here.
_INNERMOST = 0.02
_QUOTES = ('"', "'", '"""')  # what may enclose a word of a LAMMPS command


def section_name(*types: str) -> str:
    """The section of a pair of types: its names, joined by ``_``.

    LAMMPS takes the first section of a name, and a name ends at a blank or a ``#``. So what is no ASCII letter, digit,
    ``-`` or ``.`` in a type's name is written as in a URL (``%20``), ``_`` too: no two pairs have the same section.
    """
    return "_".join(quote(name, safe="").replace("_", "%5F").replace("~", "%7E") for name in types)


def bonded_section_name(term: BondedTerm) -> str:
    """The section of a bonded term, such as ``angle_A_B_A``: no pair has one of three names or more."""
    return f"{term.order}_{section_name(*term.kind)}"


def lammps_commands(table: PairTable, file: str, points: int = 2000) -> list[str]:
    """The commands that make LAMMPS use a table file: pair_style, and a pair_coeff per pair of types; then those of
    bonded terms.

    LAMMPS knows types by numbers, here from 1 in the table's order. Raises DiffPairError if LAMMPS cannot be given the
    name of the file.
    """
    word, outer = _word(file), _ANGSTROM_PER_NM * table.cutoff
    number = {name: k for k, name in enumerate(table.types, start=1)}
    return [
        f"pair_style table spline {points}",
        *(f"pair_coeff {number[a]} {number[b]} {word} {section_name(a, b)} {outer:.12g}" for a, b in table.pairs),
        *bonded_commands(table.bonded, word, [bonded_section_name(term) for term in table.bonded], points),
    ]


def lammps_table(table: PairTable, file: str = "FILE", points: int = 2000) -> str:
    """The text of a table file with a section of ``points`` rows per pair of types and bonded term; its head has the
    commands.

    Args:
        file: the name of the file in these commands.
    """
    r = np.linspace(_INNERMOST * table.cutoff, table.cutoff, points)
    names = ", ".join(f"{k} is {json.dumps(name)}" for k, name in enumerate(table.types, start=1))
    lines = [
        "# UNITS: real",
        f"# types: {names}",
        *(f"# {command}" for command in lammps_commands(table, file, points)),
    ]
    for a, b in table.pairs:
        energy = table.energy(r, a, b) / _KJ_PER_KCAL
        force = table.force(r, a, b) / (_KJ_PER_KCAL * _ANGSTROM_PER_NM)
        ends = f"{_ANGSTROM_PER_NM * r[0]:.12g} {_ANGSTROM_PER_NM * r[-1]:.12g}"
        lines += ["", section_name(a, b), f"N {points} R {ends}", ""]
        rows = zip(_ANGSTROM_PER_NM * r, energy, force, strict=True)
        lines += [f"{i} {x:.12g} {u:.12g} {f:.12g}" for i, (x, u, f) in enumerate(rows, start=1)]
    lines += bonded_sections(table.bonded, [bonded_section_name(term) for term in table.bonded], points)
    return "\n".join(lines) + "\n"


def _word(name: str) -> str:
    """A file's name as one word of a LAMMPS command: in quotes where blanks or signs of the language are in it."""
    if not set(name) & set(" \t\n#$&\"'"):
        return name
    for sign in _QUOTES:
        if "\n" not in name and sign not in name and not name.endswith(sign[0]):
            return f"{sign}{name}{sign}"
    raise DiffPairError(f"{name!r}: a LAMMPS command cannot hold this file name; choose a plainer one")
