"""`<PairTableForce>` in the XML files of openmm.app.ForceField.

    <PairTableForce file="potential.json" bondCutoff="3">
     <Atom type="spce-O" potentialType="W"/>
     <Atom class="CT" potentialType="C"/>
    </PairTableForce>

`file` is a learned potential; a relative path is looked for beside the XML file, then in the working directory. Pairs
of atoms that at most `bondCutoff` bonds separate are excluded; it has to be given where the topology has bonds. An atom
that no `<Atom>` names has the potential's type of the same name as its atom type, or else as its class. Atoms of the
potentialType none take no part, unless the potential has a type of that name. The bonded terms of the potential, if it
has any, act along the topology's bonds.

OpenMM tells residues by the elements of their atoms. Beads have none, so where such a force field is loaded a residue
of atoms without elements has the template with its name, or its name, a dot and a number, and the same names of atoms.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any
from xml.etree.ElementTree import Element

from openmm import unit
from openmm.app import forcefield as openmm_forcefield

from diffpair._openmm_forces import PairTableForce
from diffpair.bonded import add_terms
from diffpair.errors import DiffPairError
from diffpair.systems.bonded_paths import bonded_paths
from diffpair.tables import PairTable
from diffpair.tables.pair_table import INERT

TAG = "PairTableForce"
_PERIODIC = ("CutoffPeriodic", "Ewald", "PME", "LJPME")  # as for OpenMM's own CustomNonbondedForce


def register() -> None:
    """Let every ForceField that is loaded from now on know the tag."""
    openmm_forcefield.parsers[TAG] = PairTableGenerator.parseElement


class PairTableGenerator:
    """Adds a PairTableForce to the Systems that a ForceField creates; the method names are what OpenMM calls.

    Raises DiffPairError for an XML element, a topology, or arguments of createSystem that it cannot serve.
    """

    def __init__(self, forcefield: Any, path: Path, bond_cutoff: int | None) -> None:
        self.forcefield = forcefield
        self.path = path
        self.table = PairTable.load(path)
        self.bond_cutoff = bond_cutoff
        self.potential_types: dict[str, str] = {}  # atom type of the force field -> type of the potential
        self._index = -1  # of the force in the System that is being created

    @staticmethod
    def parseElement(element: Element, forcefield: Any) -> None:
        """Read one `<PairTableForce>`. Several that name the same file, in one or more XML files, are one force."""
        for name in element.attrib:
            if name not in ("file", "bondCutoff"):
                raise DiffPairError(f'<{TAG}> has an unknown attribute "{name}"; it knows file and bondCutoff')
        if "file" not in element.attrib:
            raise DiffPairError(f'<{TAG}> needs file="...", the learned potential')
        path = _find(element.attrib["file"], sys._getframe(1))
        bond_cutoff = _bond_cutoff(element.attrib.get("bondCutoff"))
        for generator in forcefield.getGenerators():
            if isinstance(generator, PairTableGenerator) and generator.path == path:
                if generator.bond_cutoff != bond_cutoff:
                    raise DiffPairError(f"two <{TAG}> for {path} have different values of bondCutoff")
                break
        else:
            generator = PairTableGenerator(forcefield, path, bond_cutoff)
            forcefield.registerGenerator(generator)
            if template_by_names not in forcefield._templateMatchers:
                forcefield.registerTemplateMatcher(template_by_names)
        for child in element:
            generator._add_atom(child)

    def _add_atom(self, element: Element) -> None:
        known = {"type", "class", "potentialType"}
        if (
            element.tag != "Atom"
            or not set(element.attrib) <= known
            or len({"type", "class"} & set(element.attrib)) != 1
        ):
            text = " ".join([element.tag, *(f'{key}="{value}"' for key, value in element.attrib.items())])
            raise DiffPairError(
                f'<{TAG}> holds <{text}>, but expects <Atom type="..." potentialType="..."/> or class in place of type'
            )
        name = element.attrib.get("type", element.attrib.get("class", ""))
        potential_type = element.attrib.get("potentialType", name)
        if potential_type not in (*self.table.types, INERT):
            raise DiffPairError(
                f"<{TAG}>: {self.path} has no type '{potential_type}'; its types are {', '.join(self.table.types)}"
            )
        (atom_types,) = self.forcefield._findAtomTypes(element.attrib, 1)
        if atom_types is None:
            raise DiffPairError(
                f"<{TAG}> names the {'type' if 'type' in element.attrib else 'class'} '{name}', which the "
                "force field does not define"
            )
        for atom_type in atom_types:
            if self.potential_types.setdefault(atom_type, potential_type) != potential_type:
                raise DiffPairError(f"<{TAG}> gives the atom type '{atom_type}' two types of the potential")

    def _potential_type(self, atom_type: str) -> str:
        atom_class = self.forcefield._atomTypes[atom_type].atomClass
        given = self.potential_types.get(atom_type)
        for name in (given, atom_type, atom_class):
            if name in self.table.types or (name == INERT and name == given):
                return name
        raise DiffPairError(
            f"<{TAG}>: no <Atom> gives the atom type '{atom_type}' a type of {self.path}, which has "
            f"{', '.join(self.table.types)}"
        )

    def createForce(self, system: Any, data: Any, nonbondedMethod: Any, nonbondedCutoff: Any, args: Any) -> None:
        """Add the force. A nonbondedCutoff below the potential's own would cut it off and is refused."""
        names = {atom_type: self._potential_type(atom_type) for atom_type in sorted(set(data.atomType.values()))}
        bystanders = INERT in names.values() and INERT not in self.table.types
        force = PairTableForce.fromTable(self.table.with_inert_type() if bystanders else self.table)
        method = str(nonbondedMethod)
        if method in _PERIODIC:
            force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
        elif method == "CutoffNonPeriodic":
            force.setNonbondedMethod(PairTableForce.CutoffNonPeriodic)
        elif method != "NoCutoff":
            raise DiffPairError(f"<{TAG}> does not know the nonbondedMethod {method}")
        if method != "NoCutoff":
            cutoff = nonbondedCutoff
            if unit.is_quantity(cutoff):
                cutoff = cutoff.value_in_unit(unit.nanometer)
            # A cutoff in other units than the table's may come out smaller by rounding.
            if abs(cutoff - self.table.cutoff) < 1e-9 * self.table.cutoff:
                cutoff = self.table.cutoff
            if cutoff < self.table.cutoff:
                raise DiffPairError(
                    f"nonbondedCutoff is {cutoff:g} nm, but the potential of {self.path} ends at "
                    f"{self.table.cutoff:g} nm: give createSystem a nonbondedCutoff of {self.table.cutoff:g} nm or more"
                )
            force.setCutoffDistance(cutoff)
        types = {atom_type: force.findType(name) for atom_type, name in names.items()}
        for atom in data.atoms:
            force.addParticle(types[data.atomType[atom]])
        self._index = system.addForce(force)
        if self.table.bonded:
            bonds = [(bond.atom1, bond.atom2) for bond in data.bonds]
            kinds = [names[data.atomType[atom]] for atom in data.atoms]
            add_terms(system, self.table.bonded, bonded_paths(bonds, kinds))

    def postprocessSystem(self, system: Any, data: Any, args: Any) -> None:
        """Exclude bonded atoms, once every generator has added its particles."""
        bonds = openmm_forcefield._findBondsForExclusions(data, system)
        if bonds and self.bond_cutoff is None:
            raise DiffPairError(
                f'the topology has bonds, so <{TAG}> needs bondCutoff="...": pairs of atoms that at most so many bonds '
                "separate are excluded (0: none)"
            )
        force = PairTableForce.cast(system.getForce(self._index))
        if self.bond_cutoff:
            force.createExclusionsFromBonds(bonds, self.bond_cutoff)


def template_by_names(
    forcefield: Any, residue: Any, bonded_to: list[set[int]], ignore_external: bool, ignore_extra: bool, *_: Any
) -> Any:
    """The template of a residue of beads, or None for any other residue: what ForceField.registerTemplateMatcher takes.

    Raises DiffPairError for a residue whose atoms would be the beads of a template but for their elements.
    """
    atoms = list(residue.atoms())
    inside = {atom.index for atom in atoms}
    shape = {a.name: 0 if ignore_external else len(set(bonded_to[a.index]) - inside) for a in atoms}
    if len(shape) < len(atoms):
        return None
    for name, template in forcefield._templates.items():
        base, _, number = name.rpartition(".")
        if residue.name != name and not (residue.name == base and number.isdecimal()):
            continue
        known = {a.name: 0 if ignore_external else a.externalBonds for a in template.atoms}
        beads = [a.name for a in template.atoms if a.element is None]
        if known != shape or not beads:
            continue
        for atom in atoms:
            if atom.name in beads and atom.element is not None:
                raise DiffPairError(
                    f"residue {residue.index} ({residue.name}): its atom {atom.name} is a bead of the force field, but "
                    f"the topology takes it for {atom.element.name}: set atom.element = None, or write EP as its "
                    f"element in the PDB file"
                )
        return template
    return None


def _bond_cutoff(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise DiffPairError(f'<{TAG}>: bondCutoff must be a number of bonds, not "{text}"')
    return int(text)


def _find(name: str, loader: FrameType) -> Path:
    """The potential file, beside one of the XML files that are being loaded or in the working directory.

    OpenMM does not tell a parser which file its element comes from; ForceField.loadFile, which calls it, has them in
    its variable `files`.
    """
    loading = loader.f_locals.get("files", [])
    folders = [Path(path).parent for path in map(_path_of, loading) if path is not None]
    candidates = [folder / name for folder in [*folders, Path()]]
    for path in candidates:
        if path.is_file():
            return path.resolve()
    looked = ", ".join(dict.fromkeys(str(path.parent.resolve()) for path in candidates))
    raise DiffPairError(f'<{TAG} file="{name}">: there is no such file in {looked}')


def _path_of(file: object) -> str | os.PathLike[str] | None:
    """What ForceField takes is a path or an open file, which may know its own."""
    path = file if isinstance(file, str | os.PathLike) else getattr(file, "name", None)
    return path if isinstance(path, str | os.PathLike) else None
