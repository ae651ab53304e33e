"""Forces of a System as OpenMM's own tags in a ForceField file, by atom type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import openmm

from diffpair.model.templates import NotInAForceField
from diffpair.systems.barostat import BAROSTATS
from diffpair.systems.own_forces import acts

Term = tuple[tuple[int, ...], tuple[float, ...]]  # particles and numbers
Rows = dict[tuple[str, ...], list[tuple[float, ...]]]


@dataclass(frozen=True)
class _Tag:
    """terms: of a force. child: the tag's children. names: attributes of a term's numbers, numbered where a chain of
    particles may have several terms."""

    terms: Callable[[Any], Iterator[Term]]
    child: str
    names: tuple[str, ...]
    several: bool = False


def _plain(count: str, get: str, particles: int) -> Callable[[Any], Iterator[Term]]:
    """Terms of a force of OpenMM that gives them one by one, particles first."""

    def terms(force: Any) -> Iterator[Term]:
        for index in range(getattr(force, count)()):
            row = getattr(force, get)(index)
            yield tuple(row[:particles]), tuple(float(getattr(x, "_value", x)) for x in row[particles:])

    return terms


def _charges(force: openmm.NonbondedForce) -> Iterator[Term]:
    for index in range(force.getNumParticles()):
        yield (index,), tuple(x._value for x in force.getParticleParameters(index))


_TAGS = {
    openmm.HarmonicBondForce: _Tag(_plain("getNumBonds", "getBondParameters", 2), "Bond", ("length", "k")),
    openmm.HarmonicAngleForce: _Tag(_plain("getNumAngles", "getAngleParameters", 3), "Angle", ("angle", "k")),
    openmm.PeriodicTorsionForce: _Tag(
        _plain("getNumTorsions", "getTorsionParameters", 4), "Proper", ("periodicity", "phase", "k"), several=True
    ),
    openmm.RBTorsionForce: _Tag(
        _plain("getNumTorsions", "getTorsionParameters", 4), "Proper", tuple(f"c{k}" for k in range(6))
    ),
    openmm.NonbondedForce: _Tag(_charges, "Atom", ("charge", "sigma", "epsilon")),
}
# Pairs up to three bonds apart are exceptions without interaction, as where particles do not feel the potential.
_ATTRIBUTES = {openmm.NonbondedForce: {"coulomb14scale": "0", "lj14scale": "0"}}


class OwnTags:
    """Collects what acts in one or several Systems besides the learned potential."""

    def __init__(self) -> None:
        self._rows: dict[type, Rows] = {}

    def add(self, system: openmm.System, types: Sequence[str]) -> None:
        """Take in the forces of a System whose particles have these atom types.

        Raises NotInAForceField: a force that no tag describes, or that differs between residues of one kind.
        """
        for force in system.getForces():
            if isinstance(force, (*BAROSTATS, openmm.CMMotionRemover)) or not acts(force):
                continue
            tag = _TAGS.get(type(force))
            if tag is None:
                raise NotInAForceField(f"its {force.getName()}")
            chains: dict[tuple[int, ...], list[tuple[float, ...]]] = {}
            for particles, numbers in tag.terms(force):
                chains.setdefault(min(particles, particles[::-1]), []).append(numbers)
            rows = self._rows.setdefault(type(force), {})
            for particles, terms in chains.items():
                key = tuple(types[i] for i in particles)
                key = min(key, key[::-1])
                if rows.setdefault(key, sorted(terms)) != sorted(terms) or (len(terms) > 1 and not tag.several):
                    raise NotInAForceField(f"its {force.getName()}, which differs between residues of one kind")

    def elements(self) -> Iterator[Element]:
        """One tag for every class of force."""
        for kind, rows in self._rows.items():
            element, tag = Element(kind.__name__, _ATTRIBUTES.get(kind, {})), _TAGS[kind]
            for types, terms in rows.items():
                given = {"type" if tag.child == "Atom" else f"type{k}": name for k, name in enumerate(types, start=1)}
                for number, values in enumerate(terms, start=1):
                    for name, value in zip(tag.names, values, strict=True):
                        # OpenMM reads a periodicity as an integer
                        text = repr(int(value)) if name == "periodicity" else repr(value)
                        given[f"{name}{number}" if tag.several else name] = text
                SubElement(element, tag.child, given)
            yield element
