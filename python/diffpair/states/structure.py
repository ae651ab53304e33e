"""Atoms, bonds, positions and box of a structure file.

OpenMM's readers take in .pdb and .cif, and what they would take in otherwise than it stands there is refused or left
open: atoms that they drop, bonds that they would give to other atoms, elements that they guess from names.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from openmm import app, unit
from openmm.app.internal.unitcell import reducePeriodicBoxVectors

from diffpair.errors import DiffPairError
from diffpair.states.gro_file import read_gro

# A CRYST1 record of this edge is what programs write that have no box; no box of molecules is that small.
_PLACEHOLDER = 0.1  # nm


class Atom(NamedTuple):
    """residue, name: as read. element: symbol, "" where the file does not state it. mass: amu, 0 without element."""

    residue: str
    name: str
    element: str
    mass: float


@dataclass(frozen=True)
class Structure:
    """atoms, bonds: pairs of indices into them. positions: [N, 3] nm. box: [3, 3] rows in OpenMM's reduced form, nm.
    topology: the same atoms, with elements as `atoms` has them."""

    topology: app.Topology
    atoms: list[Atom]
    bonds: list[tuple[int, int]]
    positions: NDArray[np.float64]
    box: NDArray[np.float64] | None


def read_structure(path: Path) -> Structure:
    """The first frame of a .pdb, .cif / .pdbx / .mmcif or .gro file.

    An element is taken from the file, or from the name where that is an atom of a standard residue (water, amino acids,
    nucleotides); a guess from any other name, a bead's perhaps, is none.

    Raises
    ------
    DiffPairError: the file cannot be read, or would not be read as it is meant.
    """
    if not path.is_file():
        raise DiffPairError(f"{path}: no such file")
    try:
        match path.suffix.lower():
            case ".pdb":
                structure = _from_pdb(path)
            case ".cif" | ".pdbx" | ".mmcif":
                structure = _from_topology(app.PDBxFile(str(path)))
            case ".gro":
                structure = _from_gro(path)
            case _:
                raise DiffPairError(f"{path}: a structure must be a .pdb, .cif or .gro file")
    except DiffPairError:
        raise
    except Exception as error:  # OpenMM's readers raise whatever a broken line makes them raise
        raise DiffPairError(f"{path}: cannot be read: {error}") from None
    box = structure.box
    if box is not None and np.allclose(box, np.eye(3) * _PLACEHOLDER, atol=1e-4):
        raise DiffPairError(
            f"{path}: its unit cell of 1 x 1 x 1 Angstrom is what programs without a box write, and no box: give the "
            f"file that of the simulation (CRYST1 in a .pdb)"
        )
    return structure


def _from_pdb(path: Path) -> Structure:
    records = _PdbRecords.of(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of every atom that it drops: told below, once
        file = app.PDBFile(str(path))
    count = file.topology.getNumAtoms()
    if count != len(records.elements):
        raise DiffPairError(
            f"{path}: {len(records.elements)} atoms, of which OpenMM reads {count}: it takes atoms of one name in one "
            f"residue for alternate locations of a single one; give every atom of a residue a name of its own, or "
            f"every bead a residue number of its own"
        )
    _check_connections(path, records)
    return _from_topology(file, [_is_element(text) or text == "EP" for text in records.elements])


def check_pdb_bonds(path: Path) -> None:
    """Refuse (DiffPairError) a PDB file whose CONECT records give its bonds by numbers that several atoms have."""
    _check_connections(path, _PdbRecords.of(path))


def _check_connections(path: Path, records: _PdbRecords) -> None:
    if records.connected and len(set(records.serials)) < len(records.serials):
        raise DiffPairError(
            f"{path}: its CONECT records do not tell which atoms they mean, since atom numbers occur twice; number "
            f"them anew, or save the structure as .cif"
        )


class _PdbRecords(NamedTuple):
    """What a PDB file says of the atoms of its first model; connected: there are CONECT records."""

    elements: list[str]
    serials: list[str]
    connected: bool

    @classmethod
    def of(cls, path: Path) -> _PdbRecords:
        elements, serials, connected, first = [], [], False, True
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                record = line[:6].rstrip()
                if record in ("ATOM", "HETATM") and first:
                    elements.append(line[76:78].strip())
                    serials.append(line[6:11])
                elif record in ("ENDMDL", "END"):
                    first = False
                elif record == "CONECT":
                    connected = True
        return cls(elements, serials, connected)


def _from_topology(file: app.PDBFile | app.PDBxFile, stated: list[bool] | None = None) -> Structure:
    atoms = []
    for residue in file.topology.residues():
        whole = _is_whole(residue.name, [atom.name for atom in residue.atoms()])
        for atom in residue.atoms():
            if not (stated is None or stated[atom.index] or whole):
                atom.element = None
            atoms.append(_atom(residue.name, atom.name, atom.element))
    bonds = [(bond[0].index, bond[1].index) for bond in file.topology.bonds()]
    vectors = file.topology.getPeriodicBoxVectors()
    box = None if vectors is None else _reduced(np.array(vectors.value_in_unit(unit.nanometer)))
    positions = np.array(file.getPositions().value_in_unit(unit.nanometer), dtype=np.float64).reshape(-1, 3)
    return Structure(file.topology, atoms, bonds, positions, box)


def _from_gro(path: Path) -> Structure:
    file = read_gro(path)
    topology, atoms = app.Topology(), []
    chain = topology.addChain()
    for (_, residue), group in groupby(zip(file.residues, file.names, strict=True), lambda row: row[0]):
        names = [name for _, name in group]
        whole, added = _is_whole(residue, names), topology.addResidue(residue, chain)
        for name in names:
            symbol = name.lstrip("0123456789")[:1]
            element = app.element.get_by_symbol(symbol) if whole else None
            topology.addAtom(name, element, added)
            atoms.append(_atom(residue, name, element))
    return Structure(topology, atoms, [], file.positions, _reduced(file.box) if file.box.any() else None)


def _atom(residue: str, name: str, element: app.element.Element | None) -> Atom:
    if element is None:
        return Atom(residue, name, "", 0.0)
    return Atom(residue, name, element.symbol, element.mass.value_in_unit(unit.dalton))


def _is_whole(residue: str, names: list[str]) -> bool:
    """Whether names are those of a residue that OpenMM knows, most of its atoms there: not one bead called CA or O."""
    residues, renamed, standard = _standard_names()
    residue = residues.get(residue, residue)
    given = {renamed.get(residue, {}).get(name, name) for name in names}
    known = standard.get(residue, set())
    return given <= known and 2 * len(given) > len(known)


def is_standard_residue(name: str) -> bool:
    """Whether readers of PDB files know a residue of that name, with atom names and bonds of its own."""
    residues, _, standard = _standard_names()
    return name in residues or name in standard


@cache
def _standard_names() -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, set[str]]]:
    """Other names of residues, of their atoms, and the atoms that have bonds in OpenMM's definitions."""
    app.PDBFile._loadNameReplacementTables()
    app.Topology().createStandardBonds()  # loads the definitions
    atoms = {
        residue: {str(bond[end]) for bond in bonds for end in (0, 1) if str(bond[end])[0] not in "-+"}
        for residue, bonds in app.Topology._standardBonds.items()
    }
    return app.PDBFile._residueNameReplacements, app.PDBFile._atomNameReplacements, atoms


def names_as_read(residue: str, atom: str) -> tuple[str, str]:
    """A residue and one of its atoms as readers of PDB files call them: OpenMM takes SOL for HOH, and its OW for O."""
    residues, renamed, _ = _standard_names()
    residue = residues.get(residue, residue)
    return residue, renamed.get(residue, {}).get(atom, atom)


def _is_element(text: str) -> bool:
    try:
        app.element.get_by_symbol(text)
    except KeyError:
        return False
    return True


def _reduced(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    reduced = reducePeriodicBoxVectors(vectors * unit.nanometer).value_in_unit(unit.nanometer)
    return np.array(reduced, dtype=np.float64).reshape(3, 3)
