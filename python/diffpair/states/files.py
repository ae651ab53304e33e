"""States read from a structure file and, for further forces, a serialized OpenMM System."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import app, unit
from openmm.app.internal.unitcell import reducePeriodicBoxVectors

from diffpair.errors import DiffPairError
from diffpair.states.lattice import type_masses
from diffpair.states.state import State
from diffpair.states.validate import check_targets
from diffpair.targets import Target

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class _Structure:
    """atoms: (residue name, atom name, element symbol or "", mass in amu or 0) of each. bonds: pairs of indices."""

    atoms: list[tuple[str, str, str, float]]
    bonds: list[tuple[int, int]]
    positions: NDArray[np.float64]
    box: NDArray[np.float64] | None


def build_from_files(
    name: str,
    topology: PathLike,
    xml: PathLike | None = None,
    types: Mapping[str, str] | None = None,
    temperature: float = 300.0,
    targets: Sequence[Target] = (),
    held_out: bool = False,
    parameters: Sequence[float] = (),
    exclude_bonds: int = 3,
    masses: float | Mapping[str, float] | Sequence[float] | None = None,
) -> State:
    """A state from files.

    Parameters
    ----------
    topology: structure with box: .pdb, .cif / .pdbx or .gro.
    xml: a System saved with `openmm.XmlSerializer`; its forces stay, and its masses and constraints count.
    types: from "residue-atom", atom name, element symbol or residue name (looked up in that order) to the type of the
        pair potential. Without it the atom names are the types.
    exclude_bonds: particles up to so many bonds apart do not feel the pair potential. If the System holds a
        `NonbondedForce` or `CustomNonbondedForce` its exclusions are taken instead, since OpenMM wants those equal.
    masses: amu, one or one per type; without it, and without a System, those of the elements.

    Raises
    ------
    DiffPairError: a file that cannot be read, an atom without type, no periodic box, sizes that do not match.

    Warns
    -----
    UserWarning: the structure has bonds, but there is no System whose forces hold them.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise DiffPairError(f"state {name!r} has a temperature of {temperature:g} K: it must be positive")
    if xml is not None and masses is not None:
        raise DiffPairError(f"state {name!r} gives masses, but {xml} has them already")
    structure = _read_structure(Path(topology))
    system = None if xml is None else _read_system(Path(xml))
    count = len(structure.atoms)
    if system is not None and system.getNumParticles() != count:
        raise DiffPairError(f"{xml} has {system.getNumParticles()} particles, but {topology} has {count} atoms")

    names = [_type_of(atom, types, index, topology) for index, atom in enumerate(structure.atoms)]
    type_names = tuple(dict.fromkeys(names))
    if system is not None:
        atom_masses = np.array([system.getParticleMass(i)._value for i in range(count)])
        exclusions = _system_exclusions(system, structure.bonds, exclude_bonds)
        box = box_vectors(system) if structure.box is None else structure.box
    else:
        atom_masses = np.array([mass for *_, mass in structure.atoms])
        exclusions = bonded_pairs(structure.bonds, exclude_bonds)
        if structure.box is None:
            raise DiffPairError(f"{topology}: it gives no periodic box")
        box = structure.box
        if len(exclusions):
            warnings.warn(
                f"{topology} has {len(structure.bonds)} bonds, but without a System nothing holds them together: "
                f"state {name!r} has the pair potential only, and bonded particles do not feel that",
                stacklevel=2,
            )
    if masses is not None:
        per_type = type_masses(name, type_names, masses)
        atom_masses = np.array([per_type[type_names.index(kind)] for kind in names])
    elif system is None and not np.all(atom_masses > 0):
        index = int(np.flatnonzero(~(atom_masses > 0))[0])
        residue, atom, *_ = structure.atoms[index]
        raise DiffPairError(f"{topology}: the mass of atom {index} ({residue}-{atom}) is unknown, since its element is")
    state = State(
        name=name,
        type_names=type_names,
        types=np.array([type_names.index(kind) for kind in names], dtype=np.int64),
        masses=atom_masses,
        positions=structure.positions,
        box=box,
        exclusions=exclusions,
        temperature=float(temperature),
        targets=list(targets),
        held_out=held_out,
        parameters=tuple(float(value) for value in parameters),
        base_system=system,
        from_lattice=False,
    )
    check_targets(state)
    return state


def box_vectors(system: openmm.System) -> NDArray[np.float64]:
    """Default box of a System, rows in nm, [3, 3]."""
    return np.array([list(vector.value_in_unit(unit.nanometer)) for vector in system.getDefaultPeriodicBoxVectors()])


def bonded_pairs(bonds: Iterable[tuple[int, int]], distance: int) -> NDArray[np.int64]:
    """Pairs at most `distance` bonds apart, [E, 2] with i < j, sorted."""
    neighbours: dict[int, set[int]] = {}
    for i, j in bonds:
        neighbours.setdefault(i, set()).add(j)
        neighbours.setdefault(j, set()).add(i)
    pairs: set[tuple[int, int]] = set()
    for start in neighbours:
        reached, shell = {start}, {start}
        for _ in range(distance):
            shell = {j for i in shell for j in neighbours[i]} - reached
            reached |= shell
        pairs.update((start, j) for j in reached if j > start)
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _system_exclusions(system: openmm.System, bonds: list[tuple[int, int]], distance: int) -> NDArray[np.int64]:
    links = {(min(i, j), max(i, j)) for i, j in bonds}
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            pairs = [force.getExceptionParameters(k)[:2] for k in range(force.getNumExceptions())]
        elif isinstance(force, openmm.CustomNonbondedForce):
            pairs = [force.getExclusionParticles(k) for k in range(force.getNumExclusions())]
        else:
            if isinstance(force, openmm.HarmonicBondForce | openmm.CustomBondForce):
                ends = [force.getBondParameters(k)[:2] for k in range(force.getNumBonds())]
                links.update((min(i, j), max(i, j)) for i, j in ends)
            continue
        return np.array(sorted((min(i, j), max(i, j)) for i, j in pairs), dtype=np.int64).reshape(-1, 2)
    ends = [system.getConstraintParameters(k)[:2] for k in range(system.getNumConstraints())]
    links.update((min(i, j), max(i, j)) for i, j in ends)
    return bonded_pairs(links, distance)


def _type_of(atom: tuple[str, str, str, float], types: Mapping[str, str] | None, index: int, file: PathLike) -> str:
    residue, name, element, _ = atom
    if types is None:
        return name
    for key in (f"{residue}-{name}", name, element, residue):
        if key in types:
            return types[key]
    raise DiffPairError(f"{file}: atom {index} ({residue}-{name}) has no type: no key of `types` fits it")


def _read_system(path: Path) -> openmm.System:
    try:
        system = openmm.XmlSerializer.deserialize(path.read_text())
    except FileNotFoundError:
        raise DiffPairError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, openmm.OpenMMException, ValueError) as error:
        raise DiffPairError(f"{path}: cannot be read as an OpenMM System: {error}") from None
    if not isinstance(system, openmm.System):
        raise DiffPairError(f"{path}: it holds a {type(system).__name__}, not an OpenMM System")
    return system


def _read_structure(path: Path) -> _Structure:
    if not path.is_file():
        raise DiffPairError(f"{path}: no such file")
    try:
        match path.suffix.lower():
            case ".pdb":
                return _from_topology(app.PDBFile(str(path)))
            case ".cif" | ".pdbx" | ".mmcif":
                return _from_topology(app.PDBxFile(str(path)))
            case ".gro":
                return _from_gro(app.GromacsGroFile(str(path)))
    except Exception as error:  # OpenMM's readers raise whatever a broken line makes them raise
        raise DiffPairError(f"{path}: cannot be read: {error}") from None
    raise DiffPairError(f"{path}: a structure must be a .pdb, .cif or .gro file")


def _from_topology(file: app.PDBFile | app.PDBxFile) -> _Structure:
    atoms = [
        (atom.residue.name, atom.name, atom.element.symbol if atom.element else "", _mass(atom.element))
        for atom in file.topology.atoms()
    ]
    bonds = [(bond[0].index, bond[1].index) for bond in file.topology.bonds()]
    return _Structure(atoms, bonds, _nanometers(file.getPositions()), _box(file.topology.getPeriodicBoxVectors()))


def _from_gro(file: app.GromacsGroFile) -> _Structure:
    columns = zip(file.residueNames, file.atomNames, file.elements, strict=True)
    atoms = [(residue, name, element.symbol if element else "", _mass(element)) for residue, name, element in columns]
    return _Structure(atoms, [], _nanometers(file.getPositions()), _box(file.getPeriodicBoxVectors()))


def _mass(element: app.element.Element | None) -> float:
    return element.mass.value_in_unit(unit.dalton) if element else 0.0


def _nanometers(quantity: unit.Quantity) -> NDArray[np.float64]:
    return np.array(quantity.value_in_unit(unit.nanometer), dtype=np.float64).reshape(-1, 3)


def _box(vectors: unit.Quantity | None) -> NDArray[np.float64] | None:
    return None if vectors is None else _nanometers(reducePeriodicBoxVectors(vectors))
