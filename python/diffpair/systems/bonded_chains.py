"""What the bonded forces of an OpenMM System act on: chains of particles, of two for a length, three for an angle, four
for a dihedral."""

from __future__ import annotations

import re
from collections.abc import Iterator

import openmm

Chain = tuple[int, ...]
# Lepton's functions of particles, as in "angle(p1, p2, p3)"
_FUNCTIONS = {"distance": 2, "angle": 3, "dihedral": 4}
_CALL = re.compile(rf"\b({'|'.join(_FUNCTIONS)})\s*\(((?:\s*p\d+\s*,?)+)\)")


def bonded_chains(system: openmm.System) -> Iterator[tuple[Chain, str]]:
    """The chains, each from its lower end, and the name of the force.

    The chains of a `CustomCompoundBondForce` are those that its energy takes distances, angles and dihedrals of; all
    of a bond's particles where it takes none. A `CustomBondForce` without energy, which tells OpenMM what a molecule
    is, has none.
    """
    for force in system.getForces():
        for chain in _chains_of(force):
            yield min(chain, chain[::-1]), force.getName()


def _chains_of(force: openmm.Force) -> list[Chain]:
    if isinstance(force, openmm.CustomBondForce) and force.getEnergyFunction().strip() == "0":
        return []
    if isinstance(force, openmm.HarmonicBondForce | openmm.CustomBondForce):
        return [tuple(force.getBondParameters(k)[:2]) for k in range(force.getNumBonds())]
    if isinstance(force, openmm.HarmonicAngleForce | openmm.CustomAngleForce):
        return [tuple(force.getAngleParameters(k)[:3]) for k in range(force.getNumAngles())]
    if isinstance(force, openmm.PeriodicTorsionForce | openmm.RBTorsionForce | openmm.CustomTorsionForce):
        return [tuple(force.getTorsionParameters(k)[:4]) for k in range(force.getNumTorsions())]
    if isinstance(force, openmm.CustomCompoundBondForce):
        places = _places(force)
        bonds = [force.getBondParameters(k)[0] for k in range(force.getNumBonds())]
        return [tuple(particles[place] for place in chain) for particles in bonds for chain in places]
    return []


def _places(force: openmm.CustomCompoundBondForce) -> list[Chain]:
    """The chains within a bond of the force, as places among its particles."""
    calls = _CALL.findall(force.getEnergyFunction())
    found = [(name, tuple(int(number) - 1 for number in re.findall(r"\d+", inside))) for name, inside in calls]
    whole = tuple(range(force.getNumParticlesPerBond()))
    return list(dict.fromkeys(chain for name, chain in found if len(chain) == _FUNCTIONS[name])) or [whole]
