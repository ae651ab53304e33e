"""The molecules of a topology that a map names, kind by kind, and which of their atoms make which bead."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from diffpair.errors import DiffPairError
from diffpair.mapping.kind_beads import BeadAtoms, bead_atoms, bead_bonds, full_name
from diffpair.mapping.settings import MapSettings, Molecules
from diffpair.settings.base import choices
from diffpair.states.structure import is_standard_residue
from diffpair.trajectories.files import select_atoms

Integers = NDArray[np.int64]

_LONGEST = 3  # characters of a residue's name in a PDB file


@dataclass(frozen=True)
class Kind:
    """Molecules of one kind.

    name: of the beads' residues. molecules: [M, n] their atoms. atom_bonds: [b, 2] between these, as places among the
    n. beads: of each molecule. bonds: [B, 2] between beads, as places among them.
    """

    name: str
    molecules: Integers
    atom_bonds: Integers
    beads: list[BeadAtoms]
    bonds: Integers

    @property
    def mass(self) -> float:
        """Of the beads of a molecule, amu."""
        return sum(bead.mass for bead in self.beads)


def find_kinds(topology: Any, settings: MapSettings) -> list[Kind]:
    """The kinds of molecules that a map names. A molecule is a residue with those that bonds join to it.

    topology: of MDTraj.

    Raises
    ------
    DiffPairError: a kind that occurs nowhere, molecules of a kind that differ, a molecule or atom of two kinds or
        beads, an atom of no bead or without mass, beads that no bond joins; the sentence names the key, bead or atom.

    Warns
    -----
    UserWarning: carbon without any hydrogen, whose masses may be those of united atoms.
    """
    bonds = np.array([(bond[0].index, bond[1].index) for bond in topology.bonds], dtype=np.int64).reshape(-1, 2)
    labels = _molecules_of(topology, bonds)
    taken = np.full(labels.max() + 1, -1)
    kinds, known = [], set[str]()
    for place, section in enumerate(settings.molecules):
        where = settings.at("molecules", place)
        chosen = _chosen(topology, section, where)
        found = np.unique(labels[chosen])
        if (twice := found[taken[found] >= 0]).size:
            atom = topology.atom(int(chosen[labels[chosen] == twice[0]][0]))
            raise DiffPairError(
                f"{where}: the molecule of residue {atom.residue} is of this kind and of "
                f"{settings.molecules[taken[twice[0]]].shown}: a molecule has one kind"
            )
        taken[found] = place
        molecules = _alike(topology, labels, found, section, where)
        atom_bonds = _bonds_within(molecules, bonds, topology, section, where)
        beads = bead_atoms(topology, molecules[0], settings, place)
        names = {name for atom in map(topology.atom, molecules[0].tolist()) for name in (atom.name, full_name(atom))}
        known |= names
        if not names & settings.masses.keys():
            _look_for_united_atoms(topology, molecules[0], section, where)
        kinds.append(
            Kind(_name(section, where), molecules, atom_bonds, beads, bead_bonds(beads, atom_bonds, settings, place))
        )
    _check_names(kinds, settings)
    for key in settings.masses:
        if key not in known:
            raise DiffPairError(f"{settings.at('masses', key)}: no atom of the molecules is called so")
    return kinds


def _molecules_of(topology: Any, bonds: Integers) -> Integers:
    """Number of the molecule of each atom, [N]."""
    residues = np.array([atom.residue.index for atom in topology.atoms], dtype=np.int64)
    count = topology.n_residues
    ends = residues[bonds]
    graph = coo_array((np.ones(len(ends), dtype=bool), (ends[:, 0], ends[:, 1])), shape=(count, count))
    of_residue = connected_components(graph, directed=False)[1]
    return np.asarray(of_residue[residues], dtype=np.int64)


def _chosen(topology: Any, section: Molecules, where: str) -> Integers:
    """Atoms that say which molecules are meant."""
    if section.select is not None:
        try:
            return select_atoms(topology, section.select)
        except DiffPairError as error:
            raise DiffPairError(f"{where}.select: {error}") from None
    atoms = [atom.index for residue in topology.residues if residue.name == section.residue for atom in residue.atoms]
    if not atoms:
        names = list(dict.fromkeys(residue.name for residue in topology.residues))
        guess = choices(str(section.residue), names, "mdtraj reads")
        raise DiffPairError(f"{where}.residue: there is no molecule {section.residue!r}{guess}")
    return np.array(atoms, dtype=np.int64)


def _alike(topology: Any, labels: Integers, found: Integers, section: Molecules, where: str) -> Integers:
    """The molecules of a kind [M, n], which must have the same atoms in the same order."""
    order = np.argsort(labels, kind="stable")
    starts, ends = (np.searchsorted(labels[order], found, side=side) for side in ("left", "right"))
    members = [order[a:b] for a, b in zip(starts, ends, strict=True)]
    members.sort(key=lambda atoms: int(atoms[0]))
    names = [full_name(atom) for atom in topology.atoms]
    first = [names[i] for i in members[0]]
    for atoms in members[1:]:
        here = [names[i] for i in atoms]
        if here != first:
            place = next((k for k, (a, b) in enumerate(zip(first, here, strict=False)) if a != b), None)
            other = f"{len(first)} and {len(here)} atoms" if place is None else f"{first[place]} and {here[place]}"
            raise DiffPairError(
                f"{where}: molecules of one kind must have the same atoms in the same order, but those of residues "
                f"{topology.atom(int(members[0][0])).residue} and {topology.atom(int(atoms[0])).residue} differ, in "
                f"{other}: make a kind of each"
            )
    return np.array(members, dtype=np.int64)


def _bonds_within(molecules: Integers, bonds: Integers, topology: Any, section: Molecules, where: str) -> Integers:
    """Bonds of a molecule's atoms, as places in it, [b, 2]; the same in all molecules of a kind."""
    count, size = molecules.shape
    place = np.full(topology.n_atoms, -1)
    place[molecules] = np.arange(size)
    owner = np.full(topology.n_atoms, -1)
    owner[molecules] = np.arange(count)[:, None]
    inside = bonds[owner[bonds[:, 0]] >= 0]
    local = np.sort(place[inside], axis=1)
    rows = np.unique(np.column_stack([owner[inside[:, 0]], local]), axis=0)
    first = rows[rows[:, 0] == 0, 1:]
    if len(rows) != count * len(first) or not np.array_equal(rows[:, 1:], np.tile(first, (count, 1))):
        raise DiffPairError(
            f"{where}: the molecules {section.shown} have the same atoms, but not the same bonds in the topology: give "
            f"a file that has all bonds, or none"
        )
    return first


def _name(section: Molecules, where: str) -> str:
    """Of the beads' residues: as given, or that of the atoms' residue, or of a single bead."""
    if section.name is not None:
        if is_standard_residue(section.name):
            raise DiffPairError(
                f"{where}.name: {section.name!r} is a residue that OpenMM and mdtraj know, with bonds and atom names "
                f"of their own: choose another name of {_LONGEST} characters or fewer"
            )
        return section.name
    names = [section.residue or "", *(bead.called for bead in section.beads[:1] if len(section.beads) == 1)]
    for name in (name[:_LONGEST] for name in names):
        if name and "-" not in name and not is_standard_residue(name):
            return name
    raise DiffPairError(
        f"{where}: give the kind a 'name' of {_LONGEST} characters or fewer, for the residues of its beads; it must "
        f"not be one of the residues that OpenMM and mdtraj know"
    )


def _check_names(kinds: list[Kind], settings: MapSettings) -> None:
    names = [kind.name for kind in kinds]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise DiffPairError(
                f"{settings.at('molecules', place)}: two kinds are called {name!r}: give one another 'name', of "
                f"{_LONGEST} characters or fewer"
            )


def _look_for_united_atoms(topology: Any, atoms: Integers, section: Molecules, where: str) -> None:
    """Warn of carbon without hydrogen: its mass is perhaps that of CH2, which no element tells."""
    symbols = [atom.element.symbol if atom.element else "" for atom in map(topology.atom, atoms.tolist())]
    if "C" in symbols and "H" not in symbols:
        warnings.warn(
            f"{where}: the molecules {section.shown} have carbon and no hydrogen; if their atoms are united atoms such "
            f"as CH2, give their masses: masses: {{{topology.atom(int(atoms[symbols.index('C')])).name}: 14.027 amu}}",
            stacklevel=4,
        )
