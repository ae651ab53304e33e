"""What in a System would change the ensemble of a state without a word: refused in one sentence each.

A state is a canonical ensemble in a periodic box, or an isobaric one where its System holds a barostat. Its thermostat
is the sampler's.
"""

from __future__ import annotations

import warnings

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import unit

from diffpair.errors import DiffPairError
from diffpair.systems.barostat import check_barostat
from diffpair.systems.own_forces import acts_between_all

Array = NDArray[np.float64]

_SAME_BOX = 1e-3  # relative; structure files round their boxes to 1e-4 nm or so


def check_system(
    path: str, system: openmm.System, positions: Array, box: Array, temperature: float, live: bool = False
) -> None:
    """Refuse a System whose forces are not those of a canonical or isobaric ensemble in the state's periodic box.

    Args:
        path: of the System or state, for messages.
        positions: [N, 3] nm, those that the state starts from.
        box: [3, 3] rows in nm.
        temperature: of the state, K.
        live: it is a Simulation of the user's, with a thermostat and a present box of its own.

    Raises:
        DiffPairError: a barostat that is not the state's (see `check_barostat`), a thermostat, Drude particles,
            nonbonded forces without periodicity, molecules that the structure file has in two pieces.

    Warns:
        UserWarning: its box is another than the structure's.
    """
    check_barostat(path, system, temperature)
    for force in system.getForces():
        name = force.getName()
        if isinstance(force, openmm.AndersenThermostat) and not live:
            raise DiffPairError(
                f"{path}: it holds a thermostat of its own, {name}, but the state has one already: remove that force"
            )
        if isinstance(force, openmm.DrudeForce):
            raise DiffPairError(
                f"{path}: it holds a {name}, whose particles need an integrator of their own, which a state of a "
                f"fit does not have"
            )
        if hasattr(force, "getNonbondedMethod") and not force.usesPeriodicBoundaryConditions() and _between_all(force):
            raise DiffPairError(
                f"{path}: its {name} is not periodic, but the state is: create the System with nonbondedMethod=PME or "
                f"CutoffPeriodic"
            )
    for what, pairs in _unwrapped_pairs(system).items():
        _check_whole(path, what, pairs, positions, box, live)
    own = box_vectors(system)
    if not live and not np.allclose(own, box, rtol=0, atol=_SAME_BOX * float(np.max(box))):
        edges = [" x ".join(f"{edge:.4g}" for edge in np.diag(vectors)) for vectors in (own, box)]
        warnings.warn(
            f"{path} has a box of {edges[0]} nm, the structure file one of {edges[1]} nm, which is taken", stacklevel=3
        )


def box_vectors(system: openmm.System) -> NDArray[np.float64]:
    """Default box of a System, rows in nm, [3, 3]."""
    return np.array([list(vector.value_in_unit(unit.nanometer)) for vector in system.getDefaultPeriodicBoxVectors()])


def _between_all(force: openmm.Force) -> bool:
    """Whether a nonbonded force has anything to do, and not, perhaps, only between chosen groups."""
    groups = isinstance(force, openmm.CustomNonbondedForce) and force.getNumInteractionGroups()
    return acts_between_all(force) and not groups


def _unwrapped_pairs(system: openmm.System) -> dict[str, NDArray[np.int64]]:
    """Constraints and bonds that OpenMM takes without periodic boundaries, [n, 2] each."""
    found = {"constraint": [system.getConstraintParameters(k)[:2] for k in range(system.getNumConstraints())]}
    for force in system.getForces():
        bonded = isinstance(force, openmm.HarmonicBondForce | openmm.CustomBondForce)
        if bonded and not force.usesPeriodicBoundaryConditions():
            found.setdefault("bond", []).extend(force.getBondParameters(k)[:2] for k in range(force.getNumBonds()))
    return {what: np.array(pairs, dtype=np.int64).reshape(-1, 2) for what, pairs in found.items()}


def _check_whole(path: str, what: str, pairs: NDArray[np.int64], positions: Array, box: Array, live: bool) -> None:
    """Half the box: no bond is that long, one across the boundary is."""
    lengths = np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1)
    if not len(lengths) or lengths.max() <= 0.5 * np.min(np.diag(box)):
        return
    i, j = pairs[int(np.argmax(lengths))]
    where = "" if live else " in the structure file"
    way_out = "set positions in which it is whole" if live else "make it whole there (gmx trjconv -pbc mol)"
    raise DiffPairError(
        f"{path}: the {what} of particles {i} and {j} is {lengths.max():.4g} nm long{where}, since their molecule "
        f"crosses the box's boundary: {way_out}"
    )
