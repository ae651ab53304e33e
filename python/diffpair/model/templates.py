"""Residue templates and atom types of a ForceField file, as the residues of a System need them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement

import openmm
from openmm import app

from diffpair.tables.pair_table import INERT

SEPARATOR = "."  # between a residue's name and the number of its further templates


class NotInAForceField(Exception):
    """What a System holds that a ForceField file does not build; the text ends a sentence."""


@dataclass(frozen=True)
class Template:
    """One kind of residue: what OpenMM tells it by, and what its atoms are.

    atoms, kinds, masses, elements: of each atom: its name, type of the potential, amu, symbol or "". bonds: within the
    residue, by place. external: bonds to other residues, of each atom. constraints: (place, place, nm).
    """

    residue: str
    atoms: tuple[str, ...]
    kinds: tuple[str, ...]
    masses: tuple[float, ...]
    elements: tuple[str, ...]
    bonds: tuple[tuple[int, int], ...]
    external: tuple[int, ...]
    constraints: tuple[tuple[int, int, float], ...]


@dataclass
class Templates:
    """All kinds of residues of one or several systems. names: of each."""

    names: dict[Template, str] = field(default_factory=dict)

    def add(self, topology: app.Topology, system: openmm.System, kinds: list[str]) -> list[str]:
        """Atom types of all atoms, of new templates where there were none. kinds: the potential's types, or none.

        Raises NotInAForceField.
        """
        inside, external, constraints = _links(topology, system)
        types = [""] * topology.getNumAtoms()
        for residue in topology.residues():
            atoms = list(residue.atoms())
            first = atoms[0].index
            template = Template(
                residue.name,
                tuple(atom.name for atom in atoms),
                tuple(kinds[atom.index] for atom in atoms),
                tuple(system.getParticleMass(atom.index)._value for atom in atoms),
                tuple("" if atom.element is None else atom.element.symbol for atom in atoms),
                tuple(sorted((i - first, j - first) for i, j in inside.get(residue.index, ()))),
                tuple(external.get(atom.index, 0) for atom in atoms),
                tuple(sorted((i - first, j - first, d) for i, j, d in constraints.get(residue.index, ()))),
            )
            name = self._name(template)
            for atom in atoms:
                types[atom.index] = f"{name}-{atom.name}"
        return types

    def _name(self, template: Template) -> str:
        if template not in self.names:
            others = sum(known.residue == template.residue for known in self.names)
            self.names[template] = template.residue + (f"{SEPARATOR}{others + 1}" if others else "")
        return self.names[template]

    def elements(self) -> Iterator[Element]:
        """<AtomTypes> and <Residues>."""
        types, residues = Element("AtomTypes"), Element("Residues")
        for template, name in self.names.items():
            residue = SubElement(residues, "Residue", name=name)
            for place, atom in enumerate(template.atoms):
                given = {"name": f"{name}-{atom}", "class": template.kinds[place], "mass": repr(template.masses[place])}
                if template.elements[place]:
                    given["element"] = template.elements[place]
                SubElement(types, "Type", given)
                SubElement(residue, "Atom", name=atom, type=f"{name}-{atom}")
            for i, j in template.bonds:
                SubElement(residue, "Bond", atomName1=template.atoms[i], atomName2=template.atoms[j])
            for place, count in enumerate(template.external):
                for _ in range(count):
                    SubElement(residue, "ExternalBond", atomName=template.atoms[place])
            for i, j, distance in template.constraints:
                SubElement(
                    residue, "Constraint", atomName1=template.atoms[i], atomName2=template.atoms[j],
                    distance=repr(distance),
                )  # fmt: skip
        yield types
        yield residues

    def kinds(self) -> list[str]:
        """Types of the potential that occur, none included."""
        return sorted({kind for template in self.names for kind in template.kinds})


def kind_names(names: list[str | None]) -> list[str]:
    """As classes of atom types: those without a type are none."""
    return [INERT if name is None else name for name in names]


def _links(
    topology: app.Topology, system: openmm.System
) -> tuple[dict[int, list[tuple[int, int]]], dict[int, int], dict[int, list[tuple[int, int, float]]]]:
    """Bonds within residues, numbers of bonds to others by atom, and constraints within residues."""
    atoms = list(topology.atoms())
    inside: dict[int, list[tuple[int, int]]] = {}
    external: dict[int, int] = {}
    for bond in topology.bonds():
        i, j = sorted((bond[0].index, bond[1].index))
        if atoms[i].residue is atoms[j].residue:
            inside.setdefault(atoms[i].residue.index, []).append((i, j))
        else:
            external[i], external[j] = external.get(i, 0) + 1, external.get(j, 0) + 1
    constraints: dict[int, list[tuple[int, int, float]]] = {}
    for index in range(system.getNumConstraints()):
        i, j, distance = system.getConstraintParameters(index)
        if atoms[i].residue is not atoms[j].residue:
            raise NotInAForceField(f"the constraint of the particles {i} and {j}, which are of different residues")
        constraints.setdefault(atoms[i].residue.index, []).append((min(i, j), max(i, j), distance._value))
    return inside, external, constraints
