"""A live simulation of a state in LAMMPS."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.engines import melting
from diffpair.engines.engine import CHECK_EVERY, Engine, Progress
from diffpair.engines.frames import Exploded, Frames, Snapshot
from diffpair.engines.lammps.dumps import COLUMNS, is_tilted, read_frames, tilts, write_frame
from diffpair.engines.lammps.process import OURS, LammpsFailed, LammpsProcess
from diffpair.engines.lammps.units import ENERGY, LENGTH, TIME, VELOCITY
from diffpair.engines.sampler import Sampler
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import PressureProbe
from diffpair.states.lammps import check_for_lammps
from diffpair.states.state import State
from diffpair.states.system import check_table, make_system
from diffpair.states.validate import check_cutoff, check_types
from diffpair.systems.platforms import pick_platform
from diffpair.tables import PairTable

Array = NDArray[np.float64]
_SEEDS = 900_000_000  # LAMMPS' random numbers take no larger one
_SKIN = 0.3, 0.2  # of the distance between particles, and at most of the cutoff: fast in a liquid (docs/lammps.md)
_FARTHEST = 0.03  # of that distance: how far an iteration of a minimisation moves a particle, 0.1 Angstrom in argon
_LONGEST = 1000  # steps after which the structure is looked at, to know where all was sound
_WATCH = f"{OURS}watch"  # begins a line with step, potential energy and temperature
# What LAMMPS stops with where particles fly apart or fall into each other.
_RAN_AWAY = re.compile(r"ERROR.*(Lost atoms|Non-numeric|[Oo]ut of range atoms|Neighbor list overflow)")


class LammpsEngine(Engine):
    """A state at work in LAMMPS, with the Langevin thermostat of `fix gjf`.

    That scheme (N. Gronbech-Jensen, Mol. Phys. 118, e1662506 (2020), GJ-I) has, as LangevinMiddleIntegrator, no error
    of configurations in a harmonic potential, whatever the time step. Velocities are those at the positions' time;
    their temperature is lower by a part that goes as the square of the time step.

    LAMMPS is started once and lives as long as the engine. It gets commands through its standard input; frames come
    back as binary dumps in a temporary folder, the table goes there as a potential file. After an explosion or a
    failure it is started anew where it is next needed.

    Parameters
    ----------
    state, table: what is simulated. timestep: ps. friction: 1/ps. seed: of thermostat and first velocities; the same
    seed gives the same run on the same number of processes. command: see LammpsProcess.

    Raises
    ------
    DiffPairError: state and table do not fit, or LAMMPS cannot run the state. LammpsFailed: there is no such LAMMPS;
    and from every method where it ends. Exploded: from every method that takes steps.
    """

    def __init__(
        self, state: State, table: PairTable, *, timestep: float, friction: float = 1.0, seed: int, command: str
    ) -> None:
        if not timestep > 0:
            raise DiffPairError(f"the time step must be positive, not {timestep:g} ps")
        check_for_lammps(state)
        check_types(state, table.types)
        check_cutoff(state, table.cutoff)
        self.friction, self._command = friction, command
        self._random = np.random.default_rng(seed)
        self._measure(state, table, timestep, state.masses)
        self._temperature = state.temperature
        # LAMMPS' types have one mass each
        pairs = np.stack([state.types.astype(float), state.masses], axis=1)
        found, places = np.unique(pairs, axis=0, return_inverse=True)
        self._kinds, self._kind_masses = places.ravel() + 1, found[:, 1]
        self._kind_types = found[:, 0].astype(int)
        self._folder = tempfile.TemporaryDirectory(prefix="diffpair-lammps-")
        self._program: LammpsProcess | None = None
        self._begins_at(self._first())
        self._live()

    def begin(self, snapshot: Snapshot | None, seed: int) -> None:
        """See Engine. LAMMPS forgets all and gets the state anew: the order of its atoms decides on last bits."""
        self._random = np.random.default_rng(seed)
        if snapshot is None:
            snapshot = self._first()
        self._check(snapshot)
        self._begins_at(snapshot)
        self.steps_done = snapshot.steps_done
        if self._program is not None:
            self._do(["clear", *self._setup()])
            self._temperature = self.state.temperature

    def _first(self) -> Snapshot:
        """The structure that the state was made of, with new velocities."""
        speeds = np.sqrt(BOLTZMANN * self.state.temperature / self.state.masses)[:, None]
        velocities = speeds * self._random.standard_normal((self.state.num_atoms, 3))
        return Snapshot(self.state.positions, velocities, self.state.box, 0)

    def set_table(self, table: PairTable) -> None:
        """See Engine."""
        check_table(self.table, table)
        self.table, self._fresh = table, True
        if self._program is not None:
            self._do(self._pair_commands())

    def set_friction(self, friction: float) -> None:
        """See Engine."""
        self.friction = friction
        if self._program is not None:
            self._do([self._thermostat(self.state.temperature, friction)])

    def melt(self, steps: int, progress: Progress | None = None) -> None:
        """As Sampler's."""
        temperature, (force, iterations) = self.state.temperature, melting.MINIMISED
        self._do(
            [
                f"min_modify dmax {_FARTHEST * self._spacing / LENGTH:.6g}",
                f"minimize 0 {force / (ENERGY / LENGTH):.6g} {iterations} {20 * iterations}",
                f"velocity all create {temperature:.17g} {self._seed()} mom no dist gaussian",
            ]
        )
        self._begins_at(self.snapshot())
        for stage in melting.stages(steps):
            step = f"timestep {stage.timestep * self.timestep / TIME:.17g}"
            self._do([step, self._thermostat(stage.temperature * temperature, melting.FRICTION)])
            self._advance(stage.steps, progress)
            steps -= stage.steps
        self._do([self._thermostat(temperature, self.friction)])
        self._advance(steps, progress)

    def snapshot(self) -> Snapshot:
        """See Engine."""
        if self._program is None:
            return self._place
        file = self._file("snapshot.bin")
        self._do([f'write_dump all custom "{file}" {" ".join(COLUMNS)}'])
        ((_, x, v),) = read_frames(file, self.state.num_atoms)
        return Snapshot(LENGTH * x, VELOCITY * v, self.state.box.copy(), self.steps_done)

    def restore(self, snapshot: Snapshot) -> None:
        """See Engine."""
        self._check(snapshot)
        self._begins_at(snapshot)
        self.steps_done = max(self.steps_done, snapshot.steps_done)
        if self._program is not None:
            self._do([f"{self._read(snapshot)} replace yes"])

    def pressure_probe(self) -> PressureProbe:
        """See Engine."""
        system, _ = make_system(self.state, self.table)
        return PressureProbe(system, self.state.temperature, *pick_platform(None))

    def _bath(self) -> float:
        return self._temperature

    def _advance(self, steps: int, progress: Progress | None) -> None:
        while steps > 0:
            piece = min(steps, _LONGEST)
            self._run(piece, CHECK_EVERY, [], [], progress)
            self._looked_at(self.snapshot())
            steps -= piece

    def _piece(self, count: int, every: int, progress: Progress | None) -> Frames:
        size, file = self.state.num_atoms, self._file("frames.bin")
        positions, velocities, energies = np.empty((count, size, 3)), np.empty((count, size, 3)), np.empty(count)
        boxes = np.tile(self.state.box, (count, 1, 1))
        if count:
            before = [
                f'dump frames all custom {every} "{file}" {" ".join(COLUMNS)}',
                "dump_modify frames delay 1",
            ]
            energy_at = self._run(count * every, every, before, ["undump frames"], progress)
            for frame, (step, x, v) in enumerate(read_frames(file, size)):
                positions[frame], velocities[frame] = LENGTH * x, VELOCITY * v
                energies[frame] = ENERGY * energy_at[step]
            self._looked_at(Snapshot(positions[-1], velocities[-1], self.state.box, self.steps_done))
        return Frames(positions, velocities, boxes, energies)

    def _run(
        self, steps: int, every: int, before: list[str], after: list[str], progress: Progress | None
    ) -> dict[int, float]:
        """Take steps. Returns the potential energy after every `every`-th, kcal/mol."""
        found: dict[int, float] = {}
        done, hottest = 0, self._hot * self._bath()
        fault = ""

        def heard(line: str) -> None:
            nonlocal done, fault
            words = line.split()
            if len(words) != 4 or words[0] != _WATCH or int(words[1]) <= done:
                return
            step, energy, temperature = int(words[1]), float(words[2]), float(words[3])
            found[step] = energy
            if not fault and not (np.isfinite(energy) and temperature < hottest):
                fault = self._fault(np.zeros((1, 3)), temperature) or "its energy is not a number"
            if progress is not None and not fault:
                progress(step - done)
            done = step

        watch = f"{_WATCH} $(step) $(pe:%.17g) $(temp)"
        commands = [
            "reset_timestep 0",
            *before,
            f'fix watch all print {every} "{watch}" screen yes',
            f"run {steps} post no",
            f'print "{watch}"',
            "unfix watch",
            *after,
        ]
        begin = time.perf_counter()
        try:
            self._do(commands, heard)
        except LammpsFailed as error:
            self.steps_done += done
            self._since += done
            if ran_away := _RAN_AWAY.search(error.said):
                self._exploded(f"LAMMPS stopped: {ran_away[1]}")
            raise
        self.md_seconds += time.perf_counter() - begin
        self.steps_done += steps
        self._since += steps
        if fault:
            self._exploded(fault)
        return found

    def _looked_at(self, now: Snapshot) -> None:
        """Whether all is sound."""
        kinetic = self.kinetic_temperature(now.velocities)
        if fault := self._fault(now.positions, kinetic):
            self._exploded(fault)
        if kinetic < self._calm * self._bath():
            self._sound, self._since, self._fresh = now, 0, False

    def _exploded(self, reason: str) -> NoReturn:
        self._stop()
        twin = Sampler(self.state, self.table, timestep=self.timestep, friction=self.friction, seed=1)
        twin.restore(self._sound)
        found = twin.why_exploded(self._since, self._fresh)
        raise Exploded(
            f"the simulation of state {self.state.name!r} exploded by step {self.steps_done}: {reason}; {found}"
        ) from None

    def _begins_at(self, snapshot: Snapshot) -> None:
        self._place = self._sound = snapshot
        self._fresh, self._since = True, 0

    def _do(self, commands: list[str], heard: Callable[[str], None] | None = None) -> None:
        try:
            self._live().run(commands, heard)
        except LammpsFailed as error:
            self._stop()
            raise LammpsFailed(f"state {self.state.name!r}: {error.what}", error.said) from None

    def _stop(self) -> None:
        """It is started anew from where all was sound."""
        if self._program is not None:
            self._program.close()
        self._program, self._place = None, self._sound

    def _live(self) -> LammpsProcess:
        """LAMMPS with the state in it."""
        if self._program is None:
            program = LammpsProcess(self._command)
            program.run(self._setup())
            self._program, self._temperature = program, self.state.temperature
        return self._program

    def _setup(self) -> list[str]:
        edges = np.diag(self.state.box) / LENGTH
        sides = " ".join(f"0 {edge:.17g}" for edge in edges)
        tilted = is_tilted(self.state.box)
        skew = " ".join(f"{tilt / LENGTH:.17g}" for tilt in tilts(self.state.box)) if tilted else ""
        skin = min(_SKIN[0] * self._spacing, _SKIN[1] * self.table.cutoff)
        return [
            "units real",
            "atom_style atomic",
            "atom_modify map yes",
            f"region box {'prism' if tilted else 'block'} {sides} {skew}",
            f"create_box {len(self._kind_masses)} box",
            *(f"mass {kind} {mass:.17g}" for kind, mass in enumerate(self._kind_masses, start=1)),
            f"{self._read(self._place)} add keep",
            "pair_style diffpair",
            *self._pair_commands(),
            f"neighbor {skin / LENGTH:.6g} bin",
            "neigh_modify every 1 delay 0 check yes",
            "thermo_style custom step temp pe",
            self._thermostat(self.state.temperature, self.friction),
            f"timestep {self.timestep / TIME:.17g}",
        ]

    @property
    def _spacing(self) -> float:
        """From one particle to the next, nm."""
        return float((self.state.volume / self.state.num_atoms) ** (1 / 3))

    def _read(self, snapshot: Snapshot) -> str:
        file = self._file("start.bin")
        write_frame(
            file, self._kinds, snapshot.positions / LENGTH, snapshot.velocities / VELOCITY, self.state.box / LENGTH
        )
        return f'read_dump "{file}" 0 x y z vx vy vz box no timestep no'

    def _pair_commands(self) -> list[str]:
        """Our names of types may hold what LAMMPS' language does not allow; numbers serve as well."""
        table, file = self.table, self._file("potential.json")
        names = tuple(f"T{k}" for k in range(len(table.types)))
        PairTable(names, table.r_min, table.cutoff, table.coefficients).save(file)
        of_kind = (names[table.types.index(self.state.type_names[kind])] for kind in self._kind_types)
        return [f'pair_coeff * * "{file}" {" ".join(of_kind)}']

    def _thermostat(self, temperature: float, friction: float) -> str:
        self._temperature = temperature
        # vhalf would go on with velocities of its own, whatever `restore` has read
        damp = 1 / (friction * TIME)
        return f"fix move all gjf {temperature:.17g} {temperature:.17g} {damp:.17g} {self._seed()} vel vfull"

    def _seed(self) -> int:
        """Another one for every command that takes one: they begin their random numbers anew."""
        return int(self._random.integers(1, _SEEDS))

    def _file(self, name: str) -> Path:
        return Path(self._folder.name) / name
