"""A lattice or structure file at work in LAMMPS: particles under the pair potential, and the thermostat of a fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.engines import melting
from diffpair.engines.engine import Progress
from diffpair.engines.frames import Snapshot
from diffpair.engines.lammps.live import LiveLammps
from diffpair.engines.sampler import Sampler
from diffpair.errors import DiffPairError
from diffpair.lammps.dumps import is_tilted, tilts
from diffpair.lammps.process import LammpsProcess
from diffpair.lammps.units import REAL
from diffpair.observables.pressure import PressureProbe
from diffpair.states.lammps import check_for_lammps
from diffpair.states.state import State
from diffpair.states.system import make_system
from diffpair.systems.platforms import pick_platform
from diffpair.tables import PairTable

Array = NDArray[np.float64]
# Of the distance between particles, and at most of the cutoff: fast in a liquid (docs/guide/lammps.md).
_SKIN = 0.3, 0.2
_FARTHEST = 0.03  # of that distance: how far an iteration of a minimisation moves a particle, 0.1 Angstrom in argon


class LammpsEngine(LiveLammps):
    """A state at work in LAMMPS, with the Langevin thermostat of `fix gjf`.

    That scheme (N. Gronbech-Jensen, Mol. Phys. 118, e1662506 (2020), GJ-I) has, as LangevinMiddleIntegrator, no error
    of configurations in a harmonic potential, whatever the time step. Velocities are those at the positions' time;
    their temperature is lower by a part that goes as the square of the time step.

    Args:
        state: what is simulated.
        table: what is simulated.
        timestep: ps.
        friction: 1/ps.
        seed: of thermostat and first velocities; the same seed gives the same run on the same number of processes.
        command: see LammpsProcess.

    Raises:
        DiffPairError: state and table do not fit, or LAMMPS cannot run the state.
        LammpsFailed: there is no such LAMMPS; and from every method where it ends.
        Exploded: from every method that takes steps.
    """

    def __init__(
        self, state: State, table: PairTable, *, timestep: float, friction: float = 1.0, seed: int, command: str
    ) -> None:
        if not timestep > 0:
            raise DiffPairError(f"the time step must be positive, not {timestep:g} ps")
        check_for_lammps(state)
        self.friction, self._command = friction, command
        self._temperature = state.temperature
        # LAMMPS' types have one mass each
        pairs = np.stack([state.types.astype(float), state.masses], axis=1)
        found, places = np.unique(pairs, axis=0, return_inverse=True)
        self._kind_masses = found[:, 1]
        names: list[str | None] = [state.type_names[int(kind)] for kind in found[:, 0]]
        self._prepare(state, table, timestep, seed, REAL, places.ravel() + 1, names, hybrid=False)
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
                f"min_modify dmax {_FARTHEST * self._spacing / REAL.length:.6g}",
                f"minimize 0 {force / (REAL.energy / REAL.length):.6g} {iterations} {20 * iterations}",
                f"velocity all create {temperature:.17g} {self._seed()} mom no dist gaussian",
            ]
        )
        self._begins_at(self.snapshot())
        for stage in melting.stages(steps):
            step = f"timestep {stage.timestep * self.timestep / REAL.time:.17g}"
            self._do([step, self._thermostat(stage.temperature * temperature, melting.FRICTION)])
            self._advance(stage.steps, progress)
            steps -= stage.steps
        self._do([self._thermostat(temperature, self.friction)])
        self._advance(steps, progress)

    def pressure_probe(self) -> PressureProbe:
        """See Engine."""
        system, _ = make_system(self.state, self.table)
        return PressureProbe(system, self.state.temperature, *pick_platform(None))

    def _bath(self) -> float:
        return self._temperature

    def _cause(self) -> str:
        twin = Sampler(self.state, self.table, timestep=self.timestep, friction=self.friction, seed=1)
        twin.restore(self._sound)
        return twin.why_exploded(self._since, self._fresh)

    def _started(self) -> LammpsProcess:
        program = LammpsProcess(self._command)
        program.run(self._setup())
        self._temperature = self.state.temperature
        return program

    def _setup(self) -> list[str]:
        edges = np.diag(self.state.box) / REAL.length
        sides = " ".join(f"0 {edge:.17g}" for edge in edges)
        tilted = is_tilted(self.state.box)
        skew = " ".join(f"{tilt / REAL.length:.17g}" for tilt in tilts(self.state.box)) if tilted else ""
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
            f"neighbor {skin / REAL.length:.6g} bin",
            "neigh_modify every 1 delay 0 check yes",
            "thermo_style custom step temp pe",
            self._thermostat(self.state.temperature, self.friction),
            f"timestep {self.timestep / REAL.time:.17g}",
        ]

    @property
    def _spacing(self) -> float:
        """From one particle to the next, nm."""
        return float((self.state.volume / self.state.num_atoms) ** (1 / 3))

    def _thermostat(self, temperature: float, friction: float) -> str:
        self._temperature = temperature
        # vhalf would go on with velocities of its own, whatever `restore` has read
        damp = 1 / (friction * REAL.time)
        return f"fix move all gjf {temperature:.17g} {temperature:.17g} {damp:.17g} {self._seed()} vel vfull"
