"""The beads of a state as a Topology and a structure file, and larger boxes of them."""

from __future__ import annotations

import re
from io import StringIO

import numpy as np
from numpy.typing import NDArray
from openmm import app, unit

from diffpair.states.state import NO_TYPE, State
from diffpair.states.structure import names_as_read
from diffpair.systems.whole import Tree, in_box

Array = NDArray[np.float64]

_MOST_IN_PDB = 99_999  # atoms: longer numbers are written in several ways, which not every reader knows
_RESIDUE_IN_PDB, _ATOM_IN_PDB = 3, 4  # characters of names


def topology_of(state: State) -> app.Topology:
    """Residues and names as in the state's structure file, and the state's bonds; on a lattice a residue per particle.

    Beads have no element, whatever their names look like: it is by their names that OpenMM then finds their types.
    Names of atoms are made unique within a residue. The box is that of the state.
    """
    made = app.Topology()
    atoms = []
    if state.topology is None:
        chain = made.addChain()
        for kind in state.types.tolist():
            name = _short(state.type_names[kind], kind)
            atoms.append(made.addAtom(name, None, made.addResidue(name, chain)))
    else:
        for chain in state.topology.chains():
            new_chain = made.addChain(chain.id)
            for residue in chain.residues():
                called, taken = names_as_read(residue.name, "")[0], set[str]()
                new = made.addResidue(called, new_chain, residue.id, residue.insertionCode)
                for atom in residue.atoms():
                    element = atom.element if state.types[atom.index] == NO_TYPE else None
                    name = _unique(names_as_read(residue.name, atom.name)[1], taken)
                    atoms.append(made.addAtom(name, element, new))
    for i, j in state.bonds.tolist():
        made.addBond(atoms[i], atoms[j])
    made.setPeriodicBoxVectors(state.box * unit.nanometer)
    return made


def whole_molecules(state: State, positions: Array, box: Array) -> Array:
    """Positions [N, 3] nm with molecules whole, by the state's bonds, and their centres in the box."""
    tree = Tree(state.bonds, state.num_atoms)
    x = tree.whole(positions[None, None], box[None])[0, 0]
    return in_box(x, box, tree.part, np.maximum(state.masses, 1e-9))


def structure_text(topology: app.Topology, positions: Array) -> tuple[str, str]:
    """Ending and text of a structure file: pdb, or cif where names or numbers do not fit into one. positions: nm."""
    text = StringIO()
    short = all(len(residue.name) <= _RESIDUE_IN_PDB for residue in topology.residues()) and all(
        len(atom.name) <= _ATOM_IN_PDB for atom in topology.atoms()
    )
    fits = short and topology.getNumAtoms() <= _MOST_IN_PDB
    write = app.PDBFile.writeFile if fits else app.PDBxFile.writeFile
    write(topology, positions * unit.nanometer, text)
    return "pdb" if fits else "cif", text.getvalue()


def replicate(topology: app.Topology, positions: Array, times: tuple[int, int, int]) -> tuple[app.Topology, Array]:
    """A larger box: so many copies of a box along each of its vectors.

    positions: [N, 3] nm, molecules whole. The copies follow each other, each with all of the atoms.
    """
    box = np.array(topology.getPeriodicBoxVectors().value_in_unit(unit.nanometer))
    made, shifts = app.Topology(), []
    for index in np.ndindex(*times):
        shifts.append(np.asarray(index) @ box)
        new = {}
        for chain in topology.chains():
            new_chain = made.addChain()
            for residue in chain.residues():
                new_residue = made.addResidue(residue.name, new_chain)
                for atom in residue.atoms():
                    new[atom] = made.addAtom(atom.name, atom.element, new_residue)
        for first, second in topology.bonds():
            made.addBond(new[first], new[second])
    made.setPeriodicBoxVectors((np.asarray(times)[:, None] * box) * unit.nanometer)
    return made, np.concatenate([positions + shift for shift in shifts])


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}{number}"
    taken.add(found)
    return found


def _short(name: str, kind: int) -> str:
    """What a PDB file has room for."""
    return name if re.fullmatch(r"\w{1,3}", name, re.ASCII) else f"P{kind}"
