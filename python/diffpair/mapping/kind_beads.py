"""The beads of one kind of molecules: their atoms, weights and masses, and the bonds between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from diffpair.errors import DiffPairError
from diffpair.mapping.settings import Bead, MapSettings
from diffpair.settings.base import choices
from diffpair.trajectories.files import select_atoms

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class BeadAtoms:
    """A bead of a molecule.

    atoms: [k] places among the molecule's atoms. weights: [k] of their positions in the bead's, adding up to 1.
    mass: amu, the sum of the atoms' masses.
    """

    name: str
    type: str
    atoms: Integers
    weights: NDArray[np.float64]
    mass: float


def bead_atoms(topology: Any, molecule: Integers, settings: MapSettings, place: int) -> list[BeadAtoms]:
    """The beads of a molecule [n].

    Every atom is in one bead or left out. Raises DiffPairError for one in two beads or in none, or without mass.
    """
    section = settings.molecules[place]
    atoms = [topology.atom(int(i)) for i in molecule]
    owner: dict[int, str] = {}
    beads = []
    for number, bead in enumerate(section.beads):
        where = settings.at("molecules", place, "beads", number)
        chosen = _atoms_of(topology, molecule, bead, where)
        for k in chosen:
            if k in owner:
                raise DiffPairError(
                    f"{where}: the atom {full_name(atoms[k])} is in the bead {bead.called!r} and in {owner[k]!r}, but "
                    f"an atom has one bead"
                )
            owner[k] = bead.called
        masses = [_mass_of(atoms[k], settings, where) for k in chosen]
        if not sum(masses) > 0:
            raise DiffPairError(f"{where}: the bead {bead.called!r} has no mass: its atoms have none")
        weights = np.array(masses) if bead.centre == "mass" else np.ones(len(chosen))
        made = BeadAtoms(bead.called, bead.type, np.array(chosen), weights / weights.sum(), float(sum(masses)))
        beads.append(made)
    left = set(owner)
    for number, name in enumerate(section.leave_out):
        where = settings.at("molecules", place, "leave_out", number)
        for k in _named(atoms, name, where, several=True):
            if k in owner:
                raise DiffPairError(f"{where}: the atom {name} is left out and in the bead {owner[k]!r}")
            left.add(k)
    if missing := [atom for k, atom in enumerate(atoms) if k not in left]:
        names = ", ".join(atom.name for atom in missing[:6]) + (", .." if len(missing) > 6 else "")
        raise DiffPairError(
            f"{settings.at('molecules', place, 'beads')}: the masses do not add up: {len(missing)} of the {len(atoms)} "
            f"atoms of {section.shown} are in no bead ({names}): put them into beads, or name them in 'leave_out'"
        )
    return beads


def _atoms_of(topology: Any, molecule: Integers, bead: Bead, where: str) -> list[int]:
    """Places in the molecule of a bead's atoms."""
    atoms = [topology.atom(int(i)) for i in molecule]
    if bead.select is not None:
        try:
            return [int(k) for k in select_atoms(topology.subset(molecule), bead.select)]
        except DiffPairError as error:
            raise DiffPairError(f"{where}.select: the bead {bead.called!r} has no atoms: {error}") from None
    found: list[int] = []
    for name in bead.atoms or []:
        (place,) = _named(atoms, name, f"{where}.atoms", several=False)
        if place in found:
            raise DiffPairError(f"{where}.atoms: the bead {bead.called!r} names the atom {name} twice")
        found.append(place)
    return found


def _named(atoms: list[Any], name: str, where: str, several: bool) -> list[int]:
    """Places of the atoms of that name, or "residue-name"."""
    found = [k for k, atom in enumerate(atoms) if name in (atom.name, full_name(atom))]
    if not found:
        guess = choices(name, dict.fromkeys(atom.name for atom in atoms), "mdtraj reads")
        raise DiffPairError(f"{where}: the molecule has no atom {name!r}{guess}")
    if len(found) > 1 and not several:
        raise DiffPairError(
            f"{where}: {len(found)} atoms of the molecule are called {name!r}, in residues "
            f"{', '.join(str(atoms[k].residue) for k in found[:4])}{', ..' if len(found) > 4 else ''}: say which, as "
            f"'residue-name' or by 'select', such as select: 'resid 0 and name {atoms[found[0]].name}'"
        )
    return found


def full_name(atom: Any) -> str:
    """ "residue-name" of an atom of MDTraj's topology."""
    return f"{atom.residue.name}-{atom.name}"


def _mass_of(atom: Any, settings: MapSettings, where: str) -> float:
    """amu, as given or of the element."""
    for key in (full_name(atom), atom.name):
        if key in settings.masses:
            return settings.masses[key]
    mass = 0.0 if atom.element is None else float(atom.element.mass)
    if not mass > 0:
        raise DiffPairError(
            f"{where}: mdtraj does not know the mass of the atom {full_name(atom)}: give it, masses: "
            f"{{{atom.name}: 15.035 amu}}, or 0 amu for a virtual site"
        )
    return mass


def bead_bonds(beads: list[BeadAtoms], atom_bonds: Integers, settings: MapSettings, place: int) -> Integers:
    """Bonds between beads [B, 2]: those given, or where a bond joins their atoms.

    Raises DiffPairError where they do not join all beads of the molecule.
    """
    section = settings.molecules[place]
    names = [bead.name for bead in beads]
    if section.bonds is None:
        owner = {int(k): number for number, bead in enumerate(beads) for k in bead.atoms}
        ends = [(owner.get(i, -1), owner.get(j, -1)) for i, j in atom_bonds.tolist()]
        pairs = {(min(pair), max(pair)) for pair in ends if min(pair) >= 0 and pair[0] != pair[1]}
    else:
        pairs = {(min(pair), max(pair)) for pair in ((names.index(a), names.index(b)) for a, b in section.bonds)}
    bonds = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(bonds)), (bonds[:, 0], bonds[:, 1])), shape=(len(beads), len(beads)))
    parts, part = connected_components(graph, directed=False)
    if parts > 1:
        alone = ", ".join(name for name, of in zip(names, part, strict=True) if of != part[0])
        source = "" if section.bonds is not None else " (the topology has no bonds between their atoms)"
        raise DiffPairError(
            f"{settings.at('molecules', place, 'bonds')}: no bond joins {alone} to {names[0]}{source}, so nothing "
            f"would hold the molecule {section.shown} together: give all of its bonds, such as "
            f"bonds: [[{names[0]}, {names[1]}], ..]"
        )
    return bonds
