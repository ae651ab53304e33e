"""A live simulation in LAMMPS, however it was made: tables, frames, snapshots, and an eye on whether it runs away."""

from __future__ import annotations

import re
import tempfile
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.engine import CHECK_EVERY, Engine, Progress
from diffpair.engines.frames import Exploded, Frames, Snapshot
from diffpair.errors import DiffPairError
from diffpair.lammps.dumps import COLUMNS, read_frames, write_frame
from diffpair.lammps.process import OURS, LammpsFailed, LammpsProcess
from diffpair.lammps.script import pair_command
from diffpair.lammps.units import Units
from diffpair.states.state import State
from diffpair.states.system import check_table
from diffpair.states.validate import check_cutoff, check_types
from diffpair.systems.box import reduced
from diffpair.tables import PairTable

Array = NDArray[np.float64]
_SEEDS = 900_000_000  # LAMMPS' random numbers take no larger one
_LONGEST = 1000  # steps after which the structure is looked at, to know where all was sound
_WATCH = f"{OURS}watch"  # begins a line with step, potential energy and temperature
# Names in LAMMPS, which a user's script does not have.
PRESSURE = "diffpair_pressure"  # a compute of the virial's part of it
_FRAMES, _WATCHER, _AT, _BEGIN = "diffpair_frames", "diffpair_watch", "diffpair_at", "diffpair_begin"
# What LAMMPS stops with where particles fly apart or fall into each other.
_RAN_AWAY = re.compile(
    r"ERROR.*(Lost atoms|Non-numeric|[Oo]ut of range atoms|Neighbor list overflow|Bond atoms? .* missing|"
    r"Bond extent|Angle extent|Shake determinant)"
)


class LiveLammps(Engine):
    """A state at work in LAMMPS; what LAMMPS reads first, subclasses say.

    LAMMPS is started once and lives as long as the engine. It gets commands through its standard input; frames come
    back as binary dumps in a temporary folder, the table goes there as a potential file. After an explosion or a
    failure it is started anew where it is next needed.
    """

    _pressed = False  # whether LAMMPS has the compute `PRESSURE`

    def _prepare(
        self, state: State, table: PairTable, timestep: float, seed: int, units: Units, kinds: NDArray[np.int64],
        kind_types: list[str | None], hybrid: bool,
    ) -> None:  # fmt: skip
        """Before anything else.

        Args:
            kinds: LAMMPS' type of every atom, from 1. kind_types: type of the potential of each of those, or None.
                hybrid: whether diffpair is one of several pair styles.
        """
        check_types(state, table.types)
        check_cutoff(state, table.cutoff)
        self._units, self._kinds, self._kind_types, self._hybrid = units, kinds, kind_types, hybrid
        self._random = np.random.default_rng(seed)
        self._measure(state, table, timestep, state.masses)
        self._folder = tempfile.TemporaryDirectory(prefix="diffpair-lammps-")
        self._program: LammpsProcess | None = None

    @abstractmethod
    def _started(self) -> LammpsProcess:
        """A new LAMMPS with the state, the table and `_place` in it."""

    @abstractmethod
    def _cause(self) -> str:
        """What made it explode, in words, looked for from `_sound`; empty where that is not known."""

    def set_table(self, table: PairTable) -> None:
        """See Engine."""
        check_table(self.table, table)
        self.table, self._fresh = table, True
        if self._program is not None:
            self._do(self._pair_commands())

    def snapshot(self) -> Snapshot:
        """See Engine."""
        if self._program is None:
            return self._place
        file = self._file("snapshot.bin")
        self._do([f'write_dump all custom "{file}" {" ".join(COLUMNS)}'])
        ((x, v, box),) = self._read_frames(file).values()
        return Snapshot(x, v, box, self.steps_done)

    def restore(self, snapshot: Snapshot) -> None:
        """See Engine."""
        self._check(snapshot)
        self._begins_at(snapshot)
        self.steps_done = max(self.steps_done, snapshot.steps_done)
        if self._program is not None:
            self._do([f"{self._read(snapshot)} replace yes"])

    def _advance(self, steps: int, progress: Progress | None) -> None:
        while steps > 0:
            piece = min(steps, _LONGEST)
            self._run(piece, CHECK_EVERY, [], [], progress)
            self._looked_at(self.snapshot())
            steps -= piece

    def _piece(self, count: int, every: int, progress: Progress | None) -> Frames:
        size, file = self.state.num_atoms, self._file("frames.bin")
        positions, velocities, energies = np.empty((count, size, 3)), np.empty((count, size, 3)), np.empty(count)
        virials = np.full(count, np.nan)
        boxes = np.empty((count, 3, 3))
        if count:
            before = [
                f'dump {_FRAMES} all custom 1 "{file}" {" ".join(COLUMNS)}',
                f"dump_modify {_FRAMES} every v_{_AT}",
            ]
            told = self._run(count * every, every, before, [f"undump {_FRAMES}"], progress)
            found = self._read_frames(file)
            if len(found) != count:
                raise DiffPairError(
                    f"state {self.state.name!r}: LAMMPS wrote {len(found)} frames of {count}: does something end "
                    f"its runs early, such as fix halt or timer timeout?"
                )
            for frame, (step, (x, v, box)) in enumerate(found.items()):
                positions[frame], velocities[frame], boxes[frame] = x, v, box
                energies[frame] = self._units.energy * told[step][0]
                virials[frame] = self._units.pressure * told[step][1]
            self._looked_at(Snapshot(positions[-1], velocities[-1], boxes[-1], self.steps_done))
        return self._with_pressure(Frames(positions, velocities, boxes, energies), virials)

    def _read_frames(self, file: Path) -> dict[int, tuple[Array, Array, Array]]:
        """Positions, velocities [N, 3] and box [3, 3] of frames in nm and ps, by LAMMPS' number of the step."""
        found = {}
        for step, x, v, box in read_frames(file, self.state.num_atoms):
            edges = self.state.box if self.state.barostat is None else reduced(self._units.length * box)
            found[step] = self._units.length * x, self._units.velocity * v, edges.copy()
        return found

    def _with_pressure(self, frames: Frames, virials: Array) -> Frames:
        """The frames with the pressure, if it is known. virials: [F] bar, of all forces; NaN where `_pressed` is not
        set."""
        return frames

    def _run(
        self, steps: int, every: int, before: list[str], after: list[str], progress: Progress | None
    ) -> dict[int, tuple[float, float]]:
        """Take steps. Returns potential energy and virial pressure after every `every`-th, by LAMMPS' number of the
        step, in its units.

        Args:
            before, after: commands; the variable `_AT` is the next of these steps.
        """
        found: dict[int, tuple[float, float]] = {}
        done, hottest = 0, self._hot * self._bath()
        fault = ""

        def heard(line: str) -> None:
            nonlocal done, fault
            words = line.split()
            if len(words) < 5 or words[0] != _WATCH or int(words[1]) - int(words[2]) <= done:
                return
            step, energy, temperature = int(words[1]) - int(words[2]), float(words[3]), float(words[4])
            found[int(words[1])] = energy, float(words[5]) if words[5:] else np.nan
            if not fault and not (np.isfinite(energy) and temperature < hottest):
                fault = self._fault(np.zeros((1, 3)), temperature) or "its energy is not a number"
            if progress is not None and not fault:
                progress(step - done)
            done = step

        # counted from where it is: what a user's script has may forbid that steps are numbered anew
        watch = f"{_WATCH} $(step) ${{{_BEGIN}}} $(pe:%.17g) $(temp)"
        virial = f" $(c_{PRESSURE}:%.17g)" if self._pressed else ""
        commands = [
            f"variable {_BEGIN} string $(step)",
            f"variable {_AT} equal stride($(step+{every}),$(step+{max(steps, every)}),{every})",
            *before,
            f'fix {_WATCHER} all print v_{_AT} "{watch}{virial}" screen yes',
            f"run {steps} post no",
            f'print "{watch}"',
            f"unfix {_WATCHER}",
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
        cause = self._cause()
        raise Exploded(
            f"the simulation of state {self.state.name!r} exploded by step {self.steps_done}: {reason}"
            f"{'; ' if cause else ''}{cause}"
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
            self._program = self._started()
        return self._program

    def _read(self, snapshot: Snapshot) -> str:
        file, units = self._file("start.bin"), self._units
        x, v = snapshot.positions / units.length, snapshot.velocities / units.velocity
        write_frame(file, self._kinds, x, v, snapshot.box / units.length)
        box = "no" if self.state.barostat is None else "yes"
        return f'read_dump "{file}" 0 x y z vx vy vz box {box} timestep no'

    def _save_table(self) -> tuple[Path, list[str]]:
        """The potential's file and its names of LAMMPS' types. Ours may hold what LAMMPS' language does not allow;
        numbers serve as well."""
        table, file = self.table, self._file("potential.json")
        names = tuple(f"T{k}" for k in range(len(table.types)))
        PairTable(names, table.r_min, table.cutoff, table.coefficients).save(file)
        return file, ["NULL" if kind is None else names[table.types.index(kind)] for kind in self._kind_types]

    def _pair_commands(self) -> list[str]:
        file, names = self._save_table()
        return [pair_command(self._hybrid, str(file), names)]

    def _seed(self) -> int:
        """Another one for every command that takes one: they begin their random numbers anew."""
        return int(self._random.integers(1, _SEEDS))

    def _file(self, name: str) -> Path:
        return Path(self._folder.name) / name
