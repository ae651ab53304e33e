"""forcefield.xml: the learned potential and a state's other forces for openmm.app.ForceField."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Comment, Element, SubElement, indent, tostring

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import app, unit

from diffpair.forcefield import TAG
from diffpair.model.own_tags import OwnTags
from diffpair.model.templates import NotInAForceField, Templates, kind_names
from diffpair.states.exclusions import bonded_pairs
from diffpair.states.state import NO_TYPE, State
from diffpair.systems.platforms import pick_platform

Array = NDArray[np.float64]

_FARTHEST = 100  # bonds: exclusions of whole molecules reach as far as these do
_SAME = 1e-4  # of the typical force: platforms of single precision round so


@dataclass(frozen=True)
class Built:
    """A state as it is handed over: topology and positions [N, 3] nm, molecules whole; its System without what was
    learned and the complete one."""

    state: State
    topology: app.Topology
    positions: Array
    own: openmm.System
    system: openmm.System


def force_field_text(potential: str, states: Sequence[Built], cutoff: float, method: str) -> str:
    """The file's text. potential: file of the potential, relative to this one. cutoff: nm, of createSystem.

    Raises NotInAForceField.
    """
    templates, own = Templates(), OwnTags()
    for built in states:
        names = [None if kind == NO_TYPE else built.state.type_names[kind] for kind in built.state.types]
        own.add(built.own, templates.add(built.topology, built.own, kind_names(names)))
    root = Element("ForceField")
    root.append(Comment(
        f" createSystem(topology, nonbondedMethod=app.{method}, nonbondedCutoff={cutoff:.12g}*unit.nanometer) "
    ))  # fmt: skip
    root.extend(templates.elements())
    root.extend(own.elements())
    learned = SubElement(root, TAG, file=potential, bondCutoff=str(_reach(states)))
    for kind in templates.kinds():
        SubElement(learned, "Atom", {"class": kind, "potentialType": kind})
    indent(root, " ")
    return tostring(root, encoding="unicode") + "\n"


def nonbonded_method(states: Sequence[Built]) -> str:
    """Name of the method that createSystem needs: that of the states' own charges, if they have any."""
    found = [force for built in states for force in built.own.getForces() if isinstance(force, openmm.NonbondedForce)]
    names = {
        openmm.NonbondedForce.PME: "PME",
        openmm.NonbondedForce.Ewald: "Ewald",
        openmm.NonbondedForce.LJPME: "LJPME",
    }
    return next((names[f.getNonbondedMethod()] for f in found if f.getNonbondedMethod() in names), "CutoffPeriodic")


def create_system(path: Path, topology: app.Topology, cutoff: float, method: str) -> openmm.System:
    """A System of a box of the same molecules. cutoff: nm. Raises DiffPairError or what openmm.app.ForceField does."""
    return app.ForceField(str(path)).createSystem(
        topology, nonbondedMethod=getattr(app, method), nonbondedCutoff=cutoff * unit.nanometer,
        rigidWater=False, removeCMMotion=False,
    )  # fmt: skip


def check_file(path: Path, built: Built, cutoff: float, method: str) -> None:
    """Raises NotInAForceField where the file builds another System of a state than the one that is handed over."""
    try:
        system = create_system(path, built.topology, cutoff, method)
    except Exception as error:  # openmm.app.ForceField raises plain ones
        raise NotInAForceField(f"residues that it would not recognise ({error})") from None
    masses = [
        [each.getParticleMass(i)._value for i in range(each.getNumParticles())] for each in (system, built.system)
    ]
    if masses[0] != masses[1]:
        raise NotInAForceField("masses that differ between residues of one kind")
    if system.getNumConstraints() != built.system.getNumConstraints():
        raise NotInAForceField("its constraints")
    wanted, found = (_forces(each, built) for each in (built.system, system))
    typical = float(np.sqrt((wanted**2).mean()))
    if np.abs(found - wanted).max() > _SAME * max(typical, 1e-6) * np.sqrt(len(wanted)):
        raise NotInAForceField("forces that differ from those of its tags")


def _forces(system: openmm.System, built: Built) -> Array:
    """kJ/mol/nm, [N, 3]."""
    platform, properties = pick_platform(None)
    system.setDefaultPeriodicBoxVectors(*built.system.getDefaultPeriodicBoxVectors())
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform, properties)
    context.setPositions(built.positions)
    return np.asarray(context.getState(forces=True).getForces(asNumpy=True)._value)


def _reach(states: Sequence[Built]) -> int:
    """Bonds up to which pairs are excluded, in all states alike."""
    common: set[int] | None = None
    for built in states:
        bonds = [(int(i), int(j)) for i, j in built.state.bonds]
        wanted = built.state.exclusions
        if not bonds and not len(wanted):
            continue
        fits = set[int]()
        previous = -1
        for reach in range(_FARTHEST + 1):
            pairs = bonded_pairs(bonds, reach)
            if np.array_equal(pairs, wanted):
                fits.add(reach)
            if reach and len(pairs) == previous:  # all molecules are excluded as a whole
                if fits and reach - 1 in fits:
                    fits |= set(range(reach, _FARTHEST + 1))
                break
            if len(pairs) > len(wanted):
                break
            previous = len(pairs)
        common = fits if common is None else common & fits
        if not common:
            raise NotInAForceField("its exclusions, which are not those of pairs up to a number of bonds apart")
    return 0 if common is None else min(common)
