"""A user's own input script at work in LAMMPS, with the learned pair in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.frames import Exploded, Frames, Snapshot
from diffpair.engines.lammps.live import PRESSURE, LiveLammps
from diffpair.errors import DiffPairError
from diffpair.lammps.process import LammpsFailed, LammpsProcess
from diffpair.lammps.program import read_script
from diffpair.observables.pressure import BAR, PressureProbe
from diffpair.states.ideal_pressure import moving_bodies
from diffpair.states.state import State
from diffpair.states.system import make_system
from diffpair.systems.platforms import pick_platform
from diffpair.tables import PairTable

Array = NDArray[np.float64]


class ScriptEngine(LiveLammps):
    """A state whose LAMMPS is a script of the user's: its forces, its fixes, its time step, its thermostat.

    Whenever LAMMPS is started, it reads the script, with the learned pair in it: as its only pair style, or beside its
    own by `pair_style hybrid/overlay`. The snapshot to go on from comes after it.

    Args:
        state: with a `script`.
        table: what is simulated.
        seed: of the script's variable `seed`.
        further_virial: frames hold what the script's own forces add to the pressure, see Frames.

    Raises:
        DiffPairError: state and table do not fit.
        LammpsFailed: LAMMPS cannot be started, or ends; from every method.
        Exploded: from every method that takes steps.
    """

    tells_pressure = True
    _pressed = True

    def __init__(self, state: State, table: PairTable, *, seed: int, further_virial: bool = False) -> None:
        if state.script is None:
            raise DiffPairError(f"state {state.name!r} has no LAMMPS input script of its own")
        self._script = script = state.script
        hybrid = script.script.is_hybrid(script.named)
        self._prepare(state, table, script.timestep, seed, script.units, script.kinds, list(script.names), hybrid)
        self._degrees, self._further = script.degrees, further_virial
        self._left: Snapshot | None = None  # the last one that was taken, where nothing has moved since
        self._first = Snapshot(state.positions, script.velocities, state.box, 0)
        self._begins_at(self._first)
        self._live()

    def begin(self, snapshot: Snapshot | None, seed: int) -> None:
        """From where the script had led, or from a snapshot; where LAMMPS is still where that was taken it goes on
        undisturbed. Its random numbers are its own: begun anew in every iteration they would be the same ones."""
        if snapshot is None or snapshot is not self._left:
            self.restore(snapshot or self._first)

    def snapshot(self) -> Snapshot:
        """See Engine."""
        self._left = super().snapshot()
        return self._left

    def restore(self, snapshot: Snapshot) -> None:
        """See Engine."""
        self._left = None
        super().restore(snapshot)

    def _do(self, commands: list[str], heard: Callable[[str], None] | None = None) -> None:
        if any(command.startswith("run ") for command in commands):
            self._left = None
        super()._do(commands, heard)

    def set_friction(self, friction: float) -> None:
        """Refused: the thermostat is the script's (DiffPairError)."""
        raise DiffPairError(f"state {self.state.name!r} runs by a LAMMPS input script whose friction is its own")

    def pressure_probe(self) -> PressureProbe:
        """Of the learned pair alone, atom by atom: frames hold the pressure of all forces, which LAMMPS tells."""
        bare = dataclasses.replace(self.state, script=None)
        return PressureProbe(make_system(bare, self.table)[0], self.state.temperature, *pick_platform(None))

    def _with_pressure(self, frames: Frames, virials: Array) -> Frames:
        volumes = np.abs(np.linalg.det(frames.boxes))
        kinetic = BAR * moving_bodies(self.state) / self.state.beta
        frames = dataclasses.replace(frames, pressure=kinetic / volumes + virials)
        if not self._further:
            return frames
        probe = self.pressure_probe()
        learned = [probe.virial(x, box) for x, box in zip(frames.positions, frames.boxes, strict=True)]
        return dataclasses.replace(frames, centres=frames.positions, further_virial=virials - np.array(learned))

    def temperature_fault(self) -> str:
        """See Engine."""
        if not super().temperature_fault():
            return ""
        found, file = self._kinetic / self._frames, self._script.script.file.name
        return (
            f"state {self.state.name} runs at {found:.0f} K, but its temperature is given as "
            f"{self.state.temperature:.0f} K: give the one that the thermostat of {file} holds, or let that script "
            f"take a shorter time step"
        )

    def _looked_at(self, now: Snapshot) -> None:
        super()._looked_at(now)
        half = 0.5 * float(np.min(np.diag(now.box)))
        if half < self.table.cutoff:
            self._stop()
            raise Exploded(
                f"the box of state {self.state.name!r} shrank under the barostat of its script "
                f"({self.state.barostat_pressure:g} bar) by step {self.steps_done} until half of it, {half:.4g} nm, "
                f"was shorter than the cutoff of {self.table.cutoff:g} nm: use more particles or a shorter cutoff, "
                f"unless the potential attracts too much or the structure began far from its density"
            )

    def _cause(self) -> str:
        how = "nothing had run with this table before" if self._fresh else "with this table it had run before"
        return f"{how}, so its {'potential' if self._fresh else 'time step'} is to be looked at first"

    def _started(self) -> LammpsProcess:
        script = self._script
        file, names = self._save_table()
        program = LammpsProcess(script.command, script.script.file.parent, thermostat=False)
        try:
            lines = script.script.with_pair(str(file), names, script.factors)
            read_script(program, script.script, lines, Path(self._folder.name), self._seed())
            program.run([f"compute {PRESSURE} all pressure NULL virial"])
            if self._place.positions is not self.state.positions:
                program.run([f"{self._read(self._place)} replace yes"])
        except LammpsFailed as error:
            program.close()
            raise LammpsFailed(f"state {self.state.name!r}: {error.what}", error.said) from None
        return program
