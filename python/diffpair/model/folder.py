"""The folder that a fit leaves for production, and what its summary.json says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import app, unit

from diffpair.atomic_file import write_atomically
from diffpair.errors import DiffPairError
from diffpair.model.force_field_file import Built, check_file, force_field_text, nonbonded_method
from diffpair.model.templates import NotInAForceField
from diffpair.model.topology import structure_text, topology_of, whole_molecules
from diffpair.states.files import read_system
from diffpair.states.state import State
from diffpair.states.structure import read_structure
from diffpair.states.system import make_system, own_system
from diffpair.tables import PairTable

SUMMARY, SECTION = "summary.json", "model"
FORCE_FIELD, SYSTEM, STRUCTURE = "forcefield", "system", "beads"
UNDER_WAY = ".production-files.json"  # names of files that the summary does not tell of yet

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ran:
    """What is handed over of a state. positions: [N, 3] nm, box: [3, 3] nm, where production ended. timestep: ps.
    friction: 1/ps. potential: file of the table, in the folder."""

    state: State
    table: PairTable
    positions: Array
    box: Array
    timestep: float
    friction: float
    potential: str


@dataclass(frozen=True)
class ModelState:
    """A state that production begins from, files relative to the folder.

    temperature: K. timestep: ps. friction: 1/ps. forcefield: file, or None, and then `reason` says why.
    nonbonded_method, nonbonded_cutoff (nm): what ForceField.createSystem needs.
    """

    name: str
    structure: str
    system: str
    potential: str
    temperature: float
    timestep: float
    friction: float
    forcefield: str | None
    reason: str
    nonbonded_method: str
    nonbonded_cutoff: float


@dataclass(frozen=True)
class Model:
    """A fit's folder and the states in it."""

    folder: Path
    states: list[ModelState]

    def state(self, name: str | None) -> ModelState:
        """The one of that name, or the only one. Raises DiffPairError."""
        names = ", ".join(state.name for state in self.states)
        if name is None:
            if len(self.states) > 1:
                raise DiffPairError(f"{self.folder} holds the states {names}: choose one by --state")
            return self.states[0]
        for state in self.states:
            if state.name == name:
                return state
        raise DiffPairError(f"{self.folder} has no state {name!r}; it has {names}")


def write_model(out: Path, states: Sequence[Ran], say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Write systems, structures and ForceField files of states into a fit's folder.

    Only what an earlier `write_model` has left there is overwritten. Where another file has one of the names, such as a
    System that the fit starts from, ours begins with `learned-`.

    Args:
        say: is told what a ForceField file cannot hold.

    Returns: the section `model` of summary.json. Raises DiffPairError where a file cannot be written.
    """
    built, texts, written, names = [_built(ran) for ran in states], [], [], _Names(out)
    for ran, each in zip(states, built, strict=True):
        suffix = "" if len(states) == 1 else "-" + re.sub(r"[^\w.+-]", "_", ran.state.name)
        ending, text = structure_text(each.topology, each.positions)
        texts.append(text)
        written.append((names.free(f"{STRUCTURE}{suffix}.{ending}"), names.free(f"{SYSTEM}{suffix}.xml")))
    force_fields = {
        potential: names.free(potential.replace("potential", FORCE_FIELD, 1).replace(".json", ".xml"))
        for potential in dict.fromkeys(ran.potential for ran in states)
    }
    names.write()
    for each, text, (structure, system) in zip(built, texts, written, strict=True):
        write_atomically(out / structure, text)
        write_atomically(out / system, openmm.XmlSerializer.serialize(each.system))
    files = _force_fields(out, states, built, force_fields, say)
    return [
        asdict(
            ModelState(
                ran.state.name, structure, system, ran.potential, ran.state.temperature, ran.timestep, ran.friction,
                *files[ran.potential],
            )
        )
        for ran, (structure, system) in zip(states, written, strict=True)
    ]  # fmt: skip


def read_model(folder: Path) -> Model:
    """What a fit has left in a folder. Raises DiffPairError that names folder or file."""
    if not folder.is_dir():
        raise DiffPairError(f"{folder}: there is no such folder; it should be the --out of a fit")
    path = folder / SUMMARY
    if not path.is_file():
        raise DiffPairError(f"{folder}: it holds no {SUMMARY}, so it is not the folder of a fit that has ended")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        section = document[SECTION]
        states = [ModelState(**entry) for entry in section]
    except KeyError:
        raise DiffPairError(
            f"{path}: it names no system to run: the fit was one of Simulations of your own, or of a DiffPair before "
            f"the command run"
        ) from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DiffPairError(f"{path}: cannot be read: {error}") from None
    if not states:
        raise DiffPairError(f"{path}: it names no system to run")
    return Model(folder, states)


def files_of(folder: Path) -> set[str]:
    """Names of the files that a fit has left in its folder for production, also one that was killed before it could
    tell of them; none where there was no fit."""
    try:
        names = {str(name) for name in json.loads((folder / UNDER_WAY).read_text())}
    except (OSError, ValueError, TypeError):
        names = set()
    try:
        states = read_model(folder).states
    except DiffPairError:
        return names
    return names | {name for state in states for name in (state.structure, state.system, state.forcefield) if name}


def told(folder: Path) -> None:
    """The summary tells of the files of `write_model` now."""
    (folder / UNDER_WAY).unlink(missing_ok=True)


def load_state(model: Model, state: ModelState) -> tuple[app.Topology, Array, openmm.System]:
    """Topology, positions [N, 3] nm and System of a state. Raises DiffPairError that names the file."""
    structure = read_structure(model.folder / state.structure)
    system = read_system(model.folder / state.system)
    count = structure.topology.getNumAtoms()
    if system.getNumParticles() != count:
        raise DiffPairError(
            f"{model.folder / state.system} has {system.getNumParticles()} particles, but "
            f"{model.folder / state.structure} has {count} atoms"
        )
    return structure.topology, structure.positions, system


def _built(ran: Ran) -> Built:
    topology, box = topology_of(ran.state), np.asarray(ran.box)
    topology.setPeriodicBoxVectors(box * unit.nanometer)
    system, _ = make_system(ran.state, ran.table)
    system.setDefaultPeriodicBoxVectors(*box)
    positions = whole_molecules(ran.state, ran.positions, box)
    return Built(ran.state, topology, positions, own_system(ran.state), system)


def _force_fields(
    out: Path, states: Sequence[Ran], built: Sequence[Built], names: Mapping[str, str], say: Callable[[str], None]
) -> Mapping[str, tuple[str | None, str, str, float]]:
    """A file for every potential: its name or None, the reason, method and cutoff of createSystem."""
    found: dict[str, tuple[str | None, str, str, float]] = {}
    for potential in dict.fromkeys(ran.potential for ran in states):
        chosen = [each for ran, each in zip(states, built, strict=True) if ran.potential == potential]
        table = next(ran.table for ran in states if ran.potential == potential)
        method = nonbonded_method(chosen)
        cutoff = max([table.cutoff, *(_own_cutoff(each) for each in chosen)])
        name = names[potential]
        try:
            write_atomically(out / name, force_field_text(potential, chosen, cutoff, method))
            for each in chosen:
                check_file(out / name, each, cutoff, method)
            found[potential] = (name, "", method, cutoff)
        except NotInAForceField as error:
            (out / name).unlink(missing_ok=True)
            which = f"the System of state {chosen[0].state.name!r}" if len(chosen) == 1 else "a System of the states"
            reason = f"{which} holds what a ForceField file does not: {error}"
            say(f"no {name}: {reason}")
            found[potential] = (None, reason, method, cutoff)
    return found


def _own_cutoff(built: Built) -> float:
    """Of charges in a state's System, nm; 0 without."""
    forces = [force for force in built.own.getForces() if isinstance(force, openmm.NonbondedForce)]
    return max((float(f.getCutoffDistance()._value) for f in forces if f.getNonbondedMethod() != 0), default=0.0)


class _Names:
    """Names of files in a folder that do not belong to something else."""

    def __init__(self, out: Path) -> None:
        self._out, self._ours, self._chosen = out, files_of(out), list[str]()

    def free(self, name: str) -> str:
        """That one, or a similar one."""
        while name in self._chosen or (name not in self._ours and (self._out / name).exists()):
            name = f"learned-{name}"
        self._chosen.append(name)
        return name

    def write(self) -> None:
        """Before the files themselves: a fit that is killed amid them knows them again."""
        write_atomically(self._out / UNDER_WAY, json.dumps(sorted({*self._ours, *self._chosen})))
