"""What an input script makes of LAMMPS, in the units of this package: asked of LAMMPS itself once it has read it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError
from diffpair.lammps.dumps import read_dump
from diffpair.lammps.process import LammpsFailed, LammpsProcess
from diffpair.lammps.program import asked, read_script, told
from diffpair.lammps.script import STYLE, InputScript
from diffpair.lammps.units import UNITS, Units
from diffpair.tables import PairTable

Array = NDArray[np.float64]
_ALIKE = 1e-6  # relative: energies of the same structure; PPPM's grid is chosen anew
_REACH = 1.0  # nm, of a potential of zeros: as far as molecules reach, whose atoms LAMMPS has to see
_SEED = 1
_WARM = 300.0  # K, where the script gives no velocities: degrees of freedom are counted by a temperature
COLUMNS = ("id", "type", "mass", "xu", "yu", "zu", "vx", "vy", "vz")
_MANY = 10_000_000  # pairs in molecules: more are no molecules


@dataclass(frozen=True)
class Described:
    """A system of N atoms, in the order of their IDs.

    units: of the script. timestep: ps. kinds: LAMMPS' types, from 1, [N]; num_kinds of them. masses: amu. positions,
    velocities: [N, 3] nm, nm/ps; not wrapped. box: [3, 3] nm, as LAMMPS has it. degrees: of freedom. bonds: [B, 2].
    excluded: pairs that the learned pair leaves out, [E, 2]. pairs_act: whether the script has other forces between
    molecules: a pair style or charges in k-space.
    """

    units: Units
    timestep: float
    kinds: NDArray[np.int64]
    num_kinds: int
    masses: Array
    positions: Array
    velocities: Array
    box: Array
    degrees: int
    bonds: NDArray[np.int64]
    excluded: NDArray[np.int64]
    pairs_act: bool


class _Asked:
    """A LAMMPS that a script is read by, for what it makes of it. Closed by `close`."""

    def __init__(self, script: InputScript, command: str, folder: Path) -> None:
        self.script, self.folder = script, folder
        self.process = LammpsProcess(command, script.file.parent, thermostat=False)

    def read(self, lines: list[str]) -> dict[str, str]:
        """What LAMMPS says after these lines."""
        read_script(self.process, self.script, lines, self.folder, _SEED)
        formulas = {"energy": "pe", "dt": "dt", "temperature": "temp", "kinetic": "ke"}
        return told(self.process, [f'diffpair_describe "{self.pairs}"', *asked(**formulas)])

    @property
    def pairs(self) -> Path:
        return self.folder / "pairs.bin"

    def number(self, label: str) -> str:
        """Of an atom type."""
        try:
            return told(self.process, asked(number=f"label2type(atom,{label})"))["number"]
        except LammpsFailed as error:
            raise LammpsFailed(
                f"{self.script.file}: types: {label!r} is neither the number nor a label of an atom type", error.said
            ) from None


def describe(
    script: InputScript,
    command: str,
    types: Mapping[str, str | None] | None,
    exclude_bonds: int | None,
    isobaric: bool = False,
) -> tuple[Described, list[str | None]]:
    """The system of a script, with the type of the potential, or None, of each of LAMMPS' types.

    Args:
        types: from the number of a type or its label, or "*" for all others; None where the script has the style
            diffpair, whose pair_coeff says so. exclude_bonds: as in `excluded_factors`. isobaric: whether a barostat is
            told of.

    Raises
    ------
    LammpsFailed: LAMMPS cannot be started, or does not take the script. DiffPairError: it makes what no fit can use.
    """
    with tempfile.TemporaryDirectory(prefix="diffpair-lammps-") as name:
        live = _Asked(script, command, Path(name))
        try:
            return _describe(live, types, exclude_bonds, isobaric)
        finally:
            live.process.close()


def _describe(
    live: _Asked, types: Mapping[str, str | None] | None, exclude_bonds: int | None, isobaric: bool
) -> tuple[Described, list[str | None]]:
    script = live.script
    own: dict[str, str] = {}
    if script.named is None:
        if types is None:
            raise DiffPairError(
                f"{script.file}: types is missing: the type of the potential for each atom type of LAMMPS, such as "
                f"types: {{1: A, 2: none}}"
            )
        own = live.read(script.as_it_is())
        names = _names(live, types, int(own["types"]))
        _check(script, own, isobaric)
        _check_mixing(script, own)
        live.process.run(["clear"])
    elif types is not None:
        raise DiffPairError(f"{script.file}: its pair_coeff of style diffpair names the types already: leave out types")
    else:
        names = [None if kind == "NULL" else kind for kind in script.named]
    table = live.folder / "zeros.json"
    PairTable(("T",), 0.3 * _REACH, _REACH, np.zeros((1, 22))).save(table)
    here = ["NULL" if name is None else "T" for name in names]
    factors = excluded_factors(exclude_bonds)
    if own and not script.alone and factors is not None:
        _check_factors(script, factors, own)
    try:
        found = live.read(script.with_pair(str(table), here, factors))
    except LammpsFailed as error:
        beside = " where pair_style hybrid/overlay has the learned pair, too" if own and not script.alone else ""
        raise LammpsFailed(f"{error.what}{beside}", error.said) from None
    _check(script, found, isobaric)
    _check_style(script, found, here)
    if own and abs(float(found["energy"]) - float(own["energy"])) > _ALIKE * max(1.0, abs(float(own["energy"]))):
        raise DiffPairError(
            f"{script.file}: with pair_style hybrid/overlay, which the learned pair needs, its energy is "
            f"{found['energy']} instead of {own['energy']}: name diffpair in the script itself (docs/guide/engines.md)"
        )
    return _system(live, found, factors), names


def excluded_factors(exclude_bonds: int | None) -> tuple[float, ...] | None:
    """Factors of pairs one, two and three bonds apart for the learned pair; None: those of `special_bonds`."""
    if exclude_bonds is None:
        return None
    if exclude_bonds > 3:
        raise DiffPairError(f"exclude_bonds: LAMMPS knows of bonds up to three apart, not {exclude_bonds}")
    return tuple(float(bonds > exclude_bonds) for bonds in (1, 2, 3))


def _check_factors(script: InputScript, factors: tuple[float, ...], own: dict[str, str]) -> None:
    """LAMMPS has pairs for one of several styles only where `special_bonds` leave something of them."""
    for bonds, (factor, given) in enumerate(zip(factors, map(float, own["special_lj"].split()), strict=True), start=1):
        if factor > 0 and given == 0:
            raise DiffPairError(
                f"{script.file}: exclude_bonds leaves pairs {bonds} bonds apart to the learned pair, but special_bonds "
                f"lj is 0 there, with which LAMMPS has them in no pair style: give another factor, such as 1e-20"
            )


def _names(live: _Asked, types: Mapping[str, str | None], count: int) -> list[str | None]:
    """Of each of LAMMPS' types."""
    where = live.script.file
    by_number = {key if key == "*" or key.isdigit() else live.number(key): name for key, name in types.items()}
    for key in by_number:
        if key != "*" and not 1 <= int(key) <= count:
            raise DiffPairError(f"{where}: types: {key} is no atom type, LAMMPS has {count} of them here")
    for kind in map(str, range(1, count + 1)):
        if kind not in by_number and "*" not in by_number:
            raise DiffPairError(
                f"{where}: types: atom type {kind} is missing, LAMMPS has {count} of them here; those that take no "
                f"part in the potential are given the type none (None in Python)"
            )
    names = [by_number.get(str(kind), by_number.get("*")) for kind in range(1, count + 1)]
    if not any(name is not None for name in names):
        raise DiffPairError(f"{where}: types leaves all atom types out")
    return names


def _check_mixing(script: InputScript, own: dict[str, str]) -> None:
    """LAMMPS mixes no coefficients in hybrid/overlay where another style has its own, and says nothing of it."""
    if own["mixed"] != "none" and not script.alone:
        raise DiffPairError(
            f"{script.file}: its pair_style {own['pair_style']} mixes the coefficients of the types {own['mixed']}, "
            f"which LAMMPS does not do beside the learned pair: give a pair_coeff for each of these pairs"
        )


def _check_style(script: InputScript, found: dict[str, str], names: list[str]) -> None:
    """That the learned pair is there as it was put."""
    wanted = "hybrid/overlay" if script.is_hybrid(names) else STYLE
    if not (found["pair_style"] == wanted or (script.named is not None and found["pair_style"].startswith("hybrid"))):
        raise DiffPairError(
            f"{script.file}: its pair_style is {found['pair_style']} in the end, where {wanted} should be: give it by "
            f"one plain pair_style command, after the box and before what needs it"
        )


def _check(script: InputScript, found: dict[str, str], isobaric: bool) -> None:
    """Refuse what a fit cannot use."""
    what = ""
    if found["units"] not in UNITS:
        what = f"units {found['units']}, and a fit needs to know how large they are: use real, metal or nano"
    elif found["dimension"] != "3" or found["periodic"] != "1":
        what = "a box that is not periodic in three dimensions, but g(r) and the potential need one"
    elif found["box_change"] != "0" and not isobaric:
        what = "a fix that changes the box: say which pressure it holds, such as pressure: 1 bar, or use fix nvt"
    elif found["box_change"] == "0" and isobaric:
        what = "no fix that changes the box, but a pressure is given for the state: leave it out, or use fix npt"
    elif found["excludes"] == "others":
        what = (
            "neigh_modify exclude for types or groups, which leaves out pairs that the fit would count: leave atoms "
            "out by types instead, or the pairs of molecules by neigh_modify exclude molecule/intra all"
        )
    if what:
        raise DiffPairError(f"{script.file}: it has {what}")


def _system(live: _Asked, found: dict[str, str], factors: tuple[float, ...] | None) -> Described:
    script, process, units = live.script, live.process, UNITS[found["units"]]
    file, molecules = live.folder / "system.bin", found["molecules"] == "1"
    columns = (*COLUMNS, "mol") if molecules else COLUMNS
    process.run([f'write_dump all custom "{file}" {" ".join(columns)}'])
    try:
        (frame,) = read_dump(file, columns)
    except DiffPairError as error:
        raise DiffPairError(f"{script.file}: {error}") from None
    rows = frame.rows
    special = np.fromfile(live.pairs, dtype=np.int64).reshape(-1, 3)
    special = special[np.lexsort((special[:, 1], special[:, 0]))]
    scale = np.array(factors if factors is not None else [float(one) for one in found["special_lj"].split()])
    there = set(special[:, 2].tolist())
    for kind in there:
        if scale[kind - 1] not in (0.0, 1.0):
            raise DiffPairError(
                f"{script.file}: its special_bonds scale the pairs {kind} bonds apart by {scale[kind - 1]:g}, but the "
                f"learned pair acts between two atoms or does not: say so by exclude_bonds: {kind} or {kind - 1}"
            )
    pairs = special[scale[special[:, 2] - 1] == 0, :2] - 1 if len(special) else special[:, :2]
    if found["excludes"] == "molecules":
        pairs = np.unique(np.concatenate([pairs, _within(script, rows[:, -1])]), axis=0)
    if float(found["temperature"]) == 0:
        found |= told(
            process,
            [f"velocity all create {_WARM} {_SEED}", "run 0 post no", *asked(temperature="temp", kinetic="ke")],
        )
    kinetic = 2 * units.energy * float(found["kinetic"])
    return Described(
        units=units,
        timestep=units.time * float(found["dt"]),
        kinds=rows[:, 0].astype(np.int64),
        num_kinds=int(found["types"]),
        masses=units.mass * rows[:, 1],
        positions=units.length * rows[:, 2:5],
        velocities=units.velocity * rows[:, 5:8],
        box=units.length * frame.box,
        degrees=round(kinetic / (BOLTZMANN * float(found["temperature"]))),
        bonds=special[special[:, 2] == 1, :2] - 1,
        excluded=pairs,
        pairs_act=found["kspace"] == "1" or not (script.alone or found["pair_style"] == "diffpair"),
    )


def _within(script: InputScript, molecules: Array) -> NDArray[np.int64]:
    """All pairs of atoms in one molecule, [n, 2]."""
    order = np.argsort(molecules, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(molecules[order])) + 1)
    if sum(len(group) * (len(group) - 1) // 2 for group in groups) > _MANY:
        raise DiffPairError(
            f"{script.file}: neigh_modify exclude molecule/intra leaves out more than {_MANY} pairs: are its molecules "
            f"those of single molecules?"
        )
    found = [np.sort(group)[np.stack(np.triu_indices(len(group), 1), axis=1)] for group in groups]
    return np.concatenate([np.zeros((0, 2), dtype=np.int64), *found])
