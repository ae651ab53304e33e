"""The beads as files of a state: a structure with bonds, and an OpenMM System."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import app, unit

from diffpair.errors import DiffPairError
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.settings import MapSettings

Array = NDArray[np.float64]

_MOST_IN_PDB = 99_999  # atoms: longer numbers are written in several ways, which not every reader knows
_NEUTRAL = 1e-6  # e per bead


def topology_of(beads: BeadMap, box: Array) -> app.Topology:
    """A residue per molecule, called as its kind. box: [3, 3] nm."""
    topology = app.Topology()
    chain, atoms = topology.addChain(), []
    for kind in beads.kinds:
        for _ in range(len(kind.molecules)):
            residue = topology.addResidue(kind.name, chain)
            atoms += [topology.addAtom(bead.name, None, residue) for bead in kind.beads]
    for i, j in beads.bonds.tolist():
        topology.addBond(atoms[i], atoms[j])
    topology.setPeriodicBoxVectors(box * unit.nanometer)
    return topology


def structure_file(beads: BeadMap, positions: Array, box: Array) -> tuple[str, str]:
    """Name and text: beads.pdb, or beads.cif where a PDB file has no room for so many. positions: [N, 3] nm."""
    topology, text = topology_of(beads, box), StringIO()
    fits = len(beads.names) <= _MOST_IN_PDB
    write = app.PDBFile.writeFile if fits else app.PDBxFile.writeFile
    write(topology, positions * unit.nanometer, text)
    return "beads.pdb" if fits else "beads.cif", text.getvalue()


def system_of(
    beads: BeadMap, box: Array, charges: Mapping[str, float], exclusions: NDArray[np.int64], cutoff: float
) -> openmm.System:
    """Masses and, with charges, a NonbondedForce of them alone, by particle-mesh Ewald.

    charges: e, by type; types that are not named have none. exclusions: [E, 2] pairs without interaction. cutoff: of
    the sum in real space, nm; that of the pair potential, since OpenMM wants one for both on a GPU.
    """
    system = openmm.System()
    for mass in beads.masses:
        system.addParticle(float(mass))
    system.setDefaultPeriodicBoxVectors(*box)
    each = _charges_of(beads, charges)
    if not each.any():
        return system
    force = openmm.NonbondedForce()
    for charge in each:
        force.addParticle(charge, 1.0, 0.0)
    for i, j in exclusions.tolist():
        force.addException(i, j, 0.0, 1.0, 0.0)
    force.setNonbondedMethod(force.PME)
    force.setCutoffDistance(cutoff)
    system.addForce(force)
    return system


def check_neutral(beads: BeadMap, settings: MapSettings) -> None:
    """Refuse (DiffPairError) charges that do not add up to 0."""
    each = _charges_of(beads, settings.charges)
    if abs(total := float(each.sum())) > _NEUTRAL * len(each):
        raise DiffPairError(
            f"{settings.at('charges')}: those of all beads add up to {total:.6g} e, but a periodic system must be "
            f"neutral: are counter-ions left out?"
        )


def _charges_of(beads: BeadMap, charges: Mapping[str, float]) -> Array:
    return np.array([charges.get(kind, 0.0) for kind in beads.types])
