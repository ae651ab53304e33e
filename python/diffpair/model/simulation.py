"""Production: a simulation of what a fit has left in its folder, which can be gone on with."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import openmm
from numpy.typing import NDArray
from openmm import app

from diffpair.atomic_file import write_atomically
from diffpair.errors import DiffPairError
from diffpair.model import dcd, xtc
from diffpair.model.folder import Model, ModelState, load_state
from diffpair.model.force_field_file import create_system
from diffpair.model.topology import replicate, structure_text
from diffpair.states.files import read_system
from diffpair.states.structure import read_structure
from diffpair.systems.barostat import BAROSTATS, barostat_of, check_barostat, pressure_of
from diffpair.systems.platforms import pick_platform
from diffpair.systems.shared_cutoff import shared_cutoff
from diffpair.tables import PairTable

Array = NDArray[np.float64]

SETTINGS, SYSTEM, STATE, LOG = "run.json", "system.xml", "state.xml", "log.csv"
REPORTERS = {"dcd": app.DCDReporter, "xtc": app.XTCReporter}
_KEEP_FRAMES = {"dcd": dcd.keep_frames, "xtc": xtc.keep_frames}
START, LAST = "start", "last"
_BAROSTAT_EVERY = 25  # steps between trials, as OpenMM has it
_ROUNDS = 50  # of a run: progress is told, and the state saved, so often


@dataclass(frozen=True)
class Conditions:
    """What a run is told.

    timestep: ps. temperature: K. pressure: bar, None at constant volume or where the System has a barostat. friction:
    1/ps. every: steps between frames. replicate: copies of the box along its vectors. trajectory: format of its file,
    dcd or xtc.
    """

    state: str
    temperature: float
    timestep: float
    friction: float
    pressure: float | None = None
    every: int = 1000
    seed: int = 1
    replicate: tuple[int, int, int] = (1, 1, 1)
    trajectory: str = "dcd"

    @property
    def trajectory_file(self) -> str:
        """Name of the trajectory."""
        return f"trajectory.{self.trajectory}"

    @classmethod
    def read(cls, folder: Path) -> Conditions:
        """Those that a run was begun with. Raises DiffPairError."""
        path = folder / SETTINGS
        if not path.is_file() or not (folder / STATE).is_file():
            raise DiffPairError(f"{folder}: it holds no run that --resume could go on with")
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            made = cls(**{**document, "replicate": tuple(document["replicate"])})
            if made.trajectory not in REPORTERS:
                raise ValueError(f"trajectory is {made.trajectory!r}, not {' or '.join(REPORTERS)}")
            return made
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DiffPairError(f"{path}: cannot be read: {error}") from None


class Run:
    """A simulation in a folder of its own, with OpenMM's reporters. Make it by `begin` or `resume`."""

    def __init__(self, out: Path, simulation: app.Simulation, conditions: Conditions) -> None:
        self.out, self.simulation, self.every = out, simulation, conditions.every
        self._conditions = conditions

    @classmethod
    def begin(cls, model: Model, conditions: Conditions, out: Path, platform: str | None = None) -> Run:
        """Set up a run in a new or empty folder. platform: an OpenMM platform's name; by default CPU.

        Raises DiffPairError: the folder holds files, the model cannot be run so, the platform is not there.
        """
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise DiffPairError(
                f"{out}: is there already and holds files, which are not overwritten: choose another folder, or "
                f"--resume to go on"
            )
        state = model.state(conditions.state)
        topology, positions, system = _box_of(model, state, conditions)
        _set_ensemble(model, state, system, conditions)
        simulation = _simulation(topology, system, conditions, platform)
        simulation.context.setPositions(positions)
        simulation.context.setVelocitiesToTemperature(conditions.temperature, conditions.seed)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiffPairError(f"{out}: cannot be made: {error.strerror or error}") from None
        ending, text = structure_text(topology, positions)
        write_atomically(out / f"{START}.{ending}", text)
        write_atomically(out / SYSTEM, openmm.XmlSerializer.serialize(system))
        run = cls(out, simulation, conditions)
        run._save()
        write_atomically(out / SETTINGS, json.dumps(asdict(conditions), indent=2) + "\n")
        run._report(append=False)
        return run

    @classmethod
    def resume(cls, out: Path, platform: str | None = None) -> Run:
        """Go on where a run in that folder was last saved; frames and lines after that are taken off its files.

        Raises DiffPairError: there is no run, a file cannot be read.
        """
        conditions = Conditions.read(out)
        structures = [out / f"{START}.{ending}" for ending in ("pdb", "cif") if (out / f"{START}.{ending}").is_file()]
        if not structures:
            raise DiffPairError(f"{out}: its {START}.pdb is missing")
        topology = read_structure(structures[0]).topology
        simulation = _simulation(topology, read_system(out / SYSTEM), conditions, platform)
        try:
            simulation.loadState(str(out / STATE))
        except Exception as error:  # OpenMM raises plain ones for a file that is not what it should be
            raise DiffPairError(f"{out / STATE}: cannot be read: {error}") from None
        frames = simulation.currentStep // conditions.every
        _KEEP_FRAMES[conditions.trajectory](out / conditions.trajectory_file, frames)
        _keep_lines(out / LOG, 1 + frames)
        run = cls(out, simulation, conditions)
        run._report(append=frames > 0)
        return run

    @property
    def trajectory(self) -> Path:
        """The file of frames."""
        return self.out / self._conditions.trajectory_file

    @property
    def description(self) -> str:
        """What runs, and where."""
        system, integrator = self.simulation.system, self.simulation.integrator
        barostat = barostat_of(system)
        held = "constant volume" if barostat is None else f"{pressure_of(barostat):g} bar"
        return (
            f"{system.getNumParticles()} particles, {integrator.getTemperature()._value:g} K, {held}, time step "
            f"{1000 * integrator.getStepSize()._value:g} fs, on OpenMM's "
            f"{self.simulation.context.getPlatform().getName()}"
        )

    def advance(self, steps: int, progress: Callable[[int], None] = lambda steps: None) -> Path:
        """Take steps, save the state on the way, and write the last structure, whose path is returned.

        Raises DiffPairError where the simulation runs away.
        """
        round_of = max(1, steps // _ROUNDS // self.every) * self.every
        done = 0
        while done < steps:
            count = min(round_of, steps - done)
            try:
                self.simulation.step(count)
            except (openmm.OpenMMException, ValueError) as error:  # ValueError: of OpenMM's reporters
                raise DiffPairError(
                    f"{self.out}: the simulation ran away before step {self.simulation.currentStep} ({error}): a "
                    f"shorter --timestep may help; {self.out / STATE} holds the state before"
                ) from None
            done += count
            self._save()
            progress(count)
        state = self.simulation.context.getState(positions=True, enforcePeriodicBox=True)
        self.simulation.topology.setPeriodicBoxVectors(state.getPeriodicBoxVectors())
        ending, text = structure_text(self.simulation.topology, state.getPositions(asNumpy=True)._value)
        write_atomically(self.out / f"{LAST}.{ending}", text)
        return self.out / f"{LAST}.{ending}"

    def _save(self) -> None:
        state = self.simulation.context.getState(positions=True, velocities=True, parameters=True)
        write_atomically(self.out / STATE, openmm.XmlSerializer.serialize(state))

    def _report(self, append: bool) -> None:
        reporter = REPORTERS[self._conditions.trajectory]
        frames = reporter(str(self.trajectory), self.every, append=append, enforcePeriodicBox=True)
        log = app.StateDataReporter(
            str(self.out / LOG), self.every, step=True, time=True, potentialEnergy=True, temperature=True, volume=True,
            density=True, speed=True, append=append,
        )  # fmt: skip
        self.simulation.reporters += [frames, log]


def _box_of(model: Model, state: ModelState, conditions: Conditions) -> tuple[app.Topology, Array, openmm.System]:
    """The state's box or a larger one. Raises DiffPairError where there is no ForceField file for the latter."""
    topology, positions, system = load_state(model, state)
    if conditions.replicate == (1, 1, 1):
        return topology, positions, system
    if state.forcefield is None:
        raise DiffPairError(f"--replicate needs the fit's forcefield.xml, which it has not written: {state.reason}")
    topology, positions = replicate(topology, positions, conditions.replicate)
    larger = create_system(
        model.folder / state.forcefield, topology, state.nonbonded_cutoff, state.nonbonded_method
    )  # fmt: skip
    if (barostat := barostat_of(system)) is not None:
        larger.addForce(copy.deepcopy(barostat))
    return topology, positions, larger


def _set_ensemble(model: Model, state: ModelState, system: openmm.System, conditions: Conditions) -> None:
    """Barostat and temperature as the run is told."""
    from diffpair._openmm_forces import PairTableForce  # not at import, as in `states.system`

    if conditions.pressure is not None:
        for index in reversed(range(system.getNumForces())):
            if isinstance(system.getForce(index), BAROSTATS):
                system.removeForce(index)
        system.addForce(openmm.MonteCarloBarostat(conditions.pressure, conditions.temperature, _BAROSTAT_EVERY))
    if (barostat := barostat_of(system)) is not None:
        barostat.setDefaultTemperature(conditions.temperature)
        barostat.setRandomNumberSeed(conditions.seed)
    check_barostat(f"state {state.name!r}", system, conditions.temperature)
    if conditions.temperature != state.temperature:
        table = PairTable.load(model.folder / state.potential)
        if table.entropy is not None:
            table = table.at_temperature(conditions.temperature)
            for force in system.getForces():
                if PairTableForce.isinstance(force):
                    learned = PairTableForce.cast(force)
                    bystanders = learned.getNumTypes() > len(table.types)
                    learned.setTable(table.with_inert_type() if bystanders else table)


def _simulation(
    topology: app.Topology, system: openmm.System, conditions: Conditions, platform: str | None
) -> app.Simulation:
    from diffpair._openmm_forces import PairTableForce

    chosen, _ = pick_platform(platform)  # without its properties: production need not repeat to the last bit
    for force in system.getForces():
        if PairTableForce.isinstance(force):
            learned = PairTableForce.cast(force)
            cutoff = learned.getCutoffDistance()._value
            learned.setCutoffDistance(
                shared_cutoff(conditions.state, system, learned.getForceGroup(), chosen.getName(), cutoff)
            )
    integrator = openmm.LangevinMiddleIntegrator(conditions.temperature, conditions.friction, conditions.timestep)
    integrator.setRandomNumberSeed(conditions.seed)
    return app.Simulation(topology, system, integrator, chosen)


def _keep_lines(path: Path, count: int) -> None:
    if path.is_file():
        lines = path.read_text().splitlines(keepends=True)
        write_atomically(path, "".join(lines[:count]))
