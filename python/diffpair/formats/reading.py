"""From files of other programs to curves with types: which format a file has, its units, and whose curve is whose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffpair.errors import DiffPairError
from diffpair.formats.curve import Curve
from diffpair.formats.gromacs import read_gromacs
from diffpair.formats.lammps import lammps_style, read_lammps
from diffpair.formats.names import types_of
from diffpair.formats.plain import read_plain
from diffpair.formats.uf3 import HEADER, read_uf3
from diffpair.formats.units import Units, units_of_style
from diffpair.tables import type_pairs
from diffpair.targets.reading.text import read_text

FORMATS = ("lammps", "uf3", "gromacs", "csv")
ONE_TYPE = "A"  # the type of a file that names none


@dataclass(frozen=True)
class Options:
    """What a user says of files beyond what stands in them.

    Args:
        kind: one of FORMATS, or None: as the file looks. units: LAMMPS's unit style. sigma, epsilon: units of style lj,
            nm and kJ/mol. length, energy: one unit of the columns of a csv file, nm and kJ/mol. c6, c12: factors of a
            table of GROMACS.
    """

    kind: str | None = None
    units: str | None = None
    sigma: float | None = None
    epsilon: float | None = None
    length: float | None = None
    energy: float | None = None
    c6: float | None = None
    c12: float | None = None


def read_curves(paths: Sequence[Path], options: Options) -> list[Curve]:
    """The curves of all files; of a folder, those of its table_*.xvg.

    Raises DiffPairError for files that cannot be read, units that are not known, and a name that two curves have.
    """
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("table_*.xvg")) if path.is_dir() else [path]
        if not inside:
            raise DiffPairError(f"{path}: a folder without files table_*.xvg")
        files += inside
    curves = [curve for path in files for curve in _read(path, options)]
    names = [curve.name for curve in curves]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DiffPairError(f"{', '.join(map(str, paths))}: two potentials have the name {twice[0]}")
    return curves


def assign(
    curves: Sequence[Curve], pairs: Sequence[tuple[str, str, str]] = (), one_type: str | None = None
) -> tuple[tuple[str, ...], list[Curve]]:
    """Types, and a curve for each pair of them in their order.

    Args:
        pairs: (type, type, name of a curve); if there are none, names such as A_B say it, and a single curve is that of
            one type.
        one_type: its name.

    Raises DiffPairError if a pair has no curve or two, or nothing says which curves are meant.
    """
    of_name = {curve.name: curve for curve in curves}
    there = ", ".join(of_name)
    if pairs and one_type:
        raise DiffPairError("--type is for a file with one potential: --pair names types already")
    if not pairs and len(curves) == 1:
        own = types_of(curves[0].name)
        name = one_type or (own[0] if own and own[0] == own[1] else ONE_TYPE)
        return (name,), list(curves)
    if one_type:
        raise DiffPairError(f"--type is for a file with one potential, but there are {there}: use --pair")
    if not pairs:
        known = [(types_of(name), name) for name in of_name]
        pairs = [(found[0], found[1], name) for found, name in known if found]
        if len(pairs) < len(curves):
            raise DiffPairError(
                f"several potentials are there ({there}): say whose each is, with --pair A A {curves[0].name}"
            )
    of_pair: dict[frozenset[str], Curve] = {}
    for a, b, name in pairs:
        if name not in of_name:
            raise DiffPairError(f"--pair {a} {b} {name}: there is no potential of that name, but {there}")
        if frozenset((a, b)) in of_pair:
            raise DiffPairError(f"the pair {a}-{b} is given twice")
        of_pair[frozenset((a, b))] = of_name[name]
    types = tuple(dict.fromkeys(name for a, b, _ in pairs for name in (a, b)))
    if not all(types):
        raise DiffPairError("--pair: the name of a type is empty")
    missing = [pair for pair in type_pairs(types) if frozenset(pair) not in of_pair]
    if missing:
        a, b = missing[0]
        raise DiffPairError(f"no potential of the pair {a}-{b} is given: name it with --pair {a} {b} NAME, of {there}")
    return types, [of_pair[frozenset(pair)] for pair in type_pairs(types)]


def _read(path: Path, options: Options) -> list[Curve]:
    text, _ = read_text(path, "a potential")
    if not text.strip():
        raise DiffPairError(f"{path}: an empty file")
    kind = options.kind or _kind(path, text)
    for given, what, kinds in (
        (options.units, "--units", ("lammps", "uf3", "csv")),
        (options.sigma, "--sigma", ("lammps", "uf3", "csv")),
        (options.epsilon, "--epsilon", ("lammps", "uf3", "csv")),
        (options.length, "--length-unit", ("csv",)),
        (options.energy, "--energy-unit", ("csv",)),
        (options.c6, "--c6", ("gromacs",)),
        (options.c12, "--c12", ("gromacs",)),
    ):
        if given is not None and kind not in kinds:
            raise DiffPairError(f"{path}: {what} is for {', '.join(kinds)}, but this file is read as {kind}")
    if kind == "gromacs":
        return [read_gromacs(path, text, options.c6, options.c12)]
    if kind == "csv":
        return read_plain(path, text, _plain_units(options))
    units = _units(path, text, kind, options)
    return read_lammps(path, text, units) if kind == "lammps" else read_uf3(path, text, units)


def _kind(path: Path, text: str) -> str:
    if HEADER in text:
        return "uf3"
    if re.search(r"^[ \t]*N[ \t]+\S", text, re.MULTILINE):
        return "lammps"
    return "gromacs" if path.suffix == ".xvg" else "csv"


def _units(path: Path, text: str, kind: str, options: Options) -> Units:
    """Units of a file of LAMMPS: the user's and the file's own have to be the same."""
    match = re.search(rf"{HEADER}.*\bUNITS:\s*(\S+)", text) if kind == "uf3" else None
    own = match[1] if match else lammps_style(text)
    style = options.units or own
    if style is None:
        raise DiffPairError(f"{path}: does not say its units: give LAMMPS's unit style by --units, such as real")
    if own is not None and own != style:
        raise DiffPairError(f"{path}: says that its units are {own}, not {style}")
    try:
        return units_of_style(style, options.sigma, options.epsilon)
    except DiffPairError as error:
        raise DiffPairError(f"{path}: {error}") from None


def _plain_units(options: Options) -> Units:
    if options.units is None:
        if options.sigma or options.epsilon:
            raise DiffPairError("--sigma and --epsilon are for units lj: add --units lj")
        return Units(options.length or 1.0, options.energy or 1.0)
    if options.length or options.energy:
        raise DiffPairError("--units and --length-unit or --energy-unit say the same: give one of them")
    return units_of_style(options.units, options.sigma, options.epsilon)
