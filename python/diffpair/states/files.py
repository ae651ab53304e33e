"""States read from a structure file and, for further forces, a serialized OpenMM System."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.states.excluded_peaks import warn_about_excluded_peaks
from diffpair.states.exclusions import excluded_pairs
from diffpair.states.lattice import type_masses
from diffpair.states.state import NO_TYPE, State
from diffpair.states.structure import Atom, Structure, read_structure
from diffpair.states.system_checks import box_vectors, check_system
from diffpair.states.validate import check_targets
from diffpair.systems.xml_text import check_xml
from diffpair.targets import Readable, Target, read_targets
from diffpair.targets.units import value_in

PathLike = str | os.PathLike[str]


def build_from_files(
    name: str,
    topology: PathLike,
    xml: PathLike | None = None,
    types: Mapping[str, str | None] | None = None,
    temperature: Any = 300.0,
    targets: Sequence[Target | Readable] = (),
    held_out: bool = False,
    parameters: Mapping[str, float] | None = None,
    exclude_bonds: int | None = None,
    masses: Any = None,
    replicas: int = 1,
) -> State:
    """See `State.from_files`."""
    kelvin = positive_temperature(name, temperature)
    if xml is not None and masses is not None:
        raise DiffPairError(f"state {name!r} gives masses, but {xml} has them already")
    structure, system = _read(topology, xml)
    names = [type_of(atom, types, index, topology) for index, atom in enumerate(structure.atoms)]
    type_names, numbers = numbered(names, f"state {name!r}: no atom of {topology} has a type")
    found = read_targets(targets)
    exclusions = excluded_pairs(f"state {name!r}", system, structure.bonds, exclude_bonds)
    box = _box_of(structure, system, topology, xml)
    if system is not None:
        check_system(str(xml), system, structure.positions, box, kelvin)
    state = State(
        name=name,
        type_names=type_names,
        types=numbers,
        masses=_masses_of(name, structure, system, names, masses, topology),
        positions=structure.positions,
        box=box,
        exclusions=exclusions,
        temperature=kelvin,
        targets=found,
        held_out=held_out,
        parameters=tuple(float(value) for value in (parameters or {}).values()),
        parameter_names=tuple(parameters or {}),
        base_system=system,
        on_lattice=False,
        bonds=np.array(structure.bonds, dtype=np.int64).reshape(-1, 2),
        topology=structure.topology,
        files=tuple(Path(file).resolve() for file in (topology, xml) if file is not None),
    )
    check_targets(state)
    warn_about_excluded_peaks(state)
    return state.with_replicas(replicas)


def positive_temperature(name: str, temperature: Any) -> float:
    """K. Raises DiffPairError."""
    kelvin = value_in(temperature, "K", "300 K", f"state {name!r}: temperature")
    if not (np.isfinite(kelvin) and kelvin > 0):
        raise DiffPairError(f"state {name!r} has a temperature of {kelvin:g} K: it must be positive")
    return float(kelvin)


def _read(topology: PathLike, xml: PathLike | None) -> tuple[Structure, openmm.System | None]:
    """Both files. Raises DiffPairError where they do not go together."""
    structure = read_structure(Path(topology))
    system = None if xml is None else read_system(Path(xml))
    count = len(structure.atoms)
    if system is not None and system.getNumParticles() != count:
        raise DiffPairError(f"{xml} has {system.getNumParticles()} particles, but {topology} has {count} atoms")
    return structure, system


def _box_of(
    structure: Structure, system: openmm.System | None, topology: PathLike, xml: PathLike | None
) -> NDArray[np.float64]:
    if structure.box is not None:
        return structure.box
    if system is None:
        raise DiffPairError(
            f"{topology}: it gives no periodic box: give the file that of the simulation (CRYST1 in a .pdb)"
        )
    box = box_vectors(system)
    if not system.usesPeriodicBoundaryConditions() and np.array_equal(box, box_vectors(openmm.System())):
        raise DiffPairError(f"neither {topology} nor {xml} gives a periodic box")
    return box


def _masses_of(
    name: str,
    structure: Structure,
    system: openmm.System | None,
    types: Sequence[str | None],
    masses: Any,
    topology: PathLike,
) -> NDArray[np.float64]:
    """amu, [N]: as given, those of the System, or of the elements that the file states."""
    if system is not None:
        return np.array([system.getParticleMass(i)._value for i in range(len(types))])
    found = np.array([atom.mass for atom in structure.atoms])
    if masses is not None:
        names = tuple(dict.fromkeys(kind for kind in types if kind is not None))
        per_type = dict(zip(names, type_masses(name, names, masses), strict=True))
        found = np.array([own if kind is None else per_type[kind] for kind, own in zip(types, found, strict=True)])
    unknown = np.flatnonzero(~(found > 0))
    if len(unknown):
        atom, kind = structure.atoms[unknown[0]], types[unknown[0]]
        raise DiffPairError(
            f"{topology}: the mass of atom {unknown[0]} ({atom.residue}-{atom.name}) is unknown: the file does not "
            f"state its element, and a name may be a bead's; give the mass of its type, masses: {{{kind}: 72 amu}}"
        )
    return found


def type_of(atom: Atom, types: Mapping[str, str | None] | None, index: int, where: PathLike) -> str | None:
    """The type that a mapping gives an atom; its name without a mapping. where: for the message.

    Raises DiffPairError where no key fits.
    """
    residue, name, element, _ = atom
    if types is None:
        return name
    for key in (f"{residue}-{name}", name, element, residue, "*"):
        if key in types:
            return types[key]
    raise DiffPairError(
        f"{where}: atom {index} ({residue}-{name}) has no type: no key of `types` fits it; atoms that take no part in "
        f"the potential are given the type none (None in Python)"
    )


def numbered(names: Sequence[str | None], without: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The types that occur, in order, and the number of each atom's, NO_TYPE without one, [N].

    Raises DiffPairError that begins with `without` where no atom has a type.
    """
    kinds = tuple(dict.fromkeys(kind for kind in names if kind is not None))
    if not kinds:
        raise DiffPairError(f"{without}: `types` leaves all of them out")
    places = {kind: index for index, kind in enumerate(kinds)}
    return kinds, np.array([NO_TYPE if kind is None else places[kind] for kind in names], dtype=np.int64)


def read_system(path: Path) -> openmm.System:
    """A System saved with `openmm.XmlSerializer`. Raises DiffPairError that names the file."""
    try:
        text = path.read_text(encoding="utf-8")
        check_xml(path, text)
        system = openmm.XmlSerializer.deserialize(text)
    except DiffPairError:
        raise
    except FileNotFoundError:
        raise DiffPairError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, openmm.OpenMMException, ValueError) as error:
        raise DiffPairError(f"{path}: cannot be read as an OpenMM System: {error}") from None
    if not isinstance(system, openmm.System):
        raise DiffPairError(f"{path}: it holds a {type(system).__name__}, not an OpenMM System")
    return system
