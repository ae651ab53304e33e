"""One live OpenMM Context per state: it is melted once and then follows the potential as that is learned."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.engines.explosion import Trial, cause
from diffpair.engines.frames import Exploded, Frames, Snapshot
from diffpair.errors import DiffPairError
from diffpair.states.state import BOLTZMANN, State
from diffpair.states.system import check_table, make_system, table_of_force
from diffpair.tables import PairTable

_CHECK_EVERY = 100  # steps between looks at the kinetic temperature when no frames are taken
_HOT = 10.0  # times the thermostat's temperature: an explosion, not a fluctuation
_MELTING_FRICTION = 10.0  # 1/ps: heats and cools within few steps
_CALM = 2.0  # times the thermostat's temperature: below it nothing has gone wrong yet
_AGAIN = 1000  # steps of a run that is repeated, at most
_LOOK_EVERY = 5  # steps, in a run that is repeated to see how it explodes

Progress = Callable[[int], None]  # called with the number of steps just done


def pick_platform(name: str | None) -> tuple[openmm.Platform, dict[str, str]]:
    """The platform asked for, or CPU, or where that is missing Reference; with the properties that make runs repeat."""
    known = [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]
    chosen = name or ("CPU" if "CPU" in known else "Reference")
    if chosen not in known:
        raise DiffPairError(f"OpenMM has no platform {chosen!r} here, only {', '.join(known)}")
    platform = openmm.Platform.getPlatformByName(chosen)
    repeatable = {"DeterministicForces": "true"} if "DeterministicForces" in platform.getPropertyNames() else {}
    return platform, repeatable


class _Seen(NamedTuple):
    """A look at the simulation: positions, velocities [N, 3] in nm, nm/ps; potential energy in kJ/mol, or NaN."""

    x: NDArray[np.float64]
    v: NDArray[np.float64]
    energy: float


class Sampler:
    """A live simulation of one state with LangevinMiddleIntegrator.

    Parameters
    ----------
    state, table: what is simulated. timestep: ps. friction: 1/ps. seed: of thermostat and first velocities; the same
    seed gives the same run. platform: an OpenMM platform's name; by default CPU.

    Attributes
    ----------
    steps_done: by all methods. md_seconds: wall time that OpenMM needed for them.

    Raises
    ------
    DiffPairError: state and table do not fit. Exploded: from every method that takes steps.
    """

    def __init__(
        self,
        state: State,
        table: PairTable,
        *,
        timestep: float,
        friction: float = 1.0,
        seed: int,
        platform: str | None = None,
    ) -> None:
        if not timestep > 0:
            raise DiffPairError(f"the time step must be positive, not {timestep:g} ps")
        self.friction = friction
        self._seed = int(seed) % (2**31 - 2) + 1  # OpenMM takes 0 for "a random seed", and an int
        system, self.force = make_system(state, table)
        integrator = openmm.LangevinMiddleIntegrator(state.temperature, friction, timestep)
        integrator.setRandomNumberSeed(self._seed)
        chosen, properties = pick_platform(platform)
        context = openmm.Context(system, integrator, chosen, properties)
        context.setPeriodicBoxVectors(*state.box)
        context.setPositions(state.positions)
        context.setVelocitiesToTemperature(state.temperature, self._seed)
        self._take(state, table, timestep, integrator, context)

    def _take(
        self, state: State, table: PairTable, timestep: float, integrator: openmm.Integrator, context: openmm.Context
    ) -> None:
        """Simulate with this Context, which has positions and velocities."""
        self.state, self.table, self.timestep = state, table, timestep
        self.integrator, self.context = integrator, context
        self.steps_done, self.md_seconds = 0, 0.0
        self._since = 0  # steps since all was sound
        system = context.getSystem()
        self._masses = np.array([system.getParticleMass(i)._value for i in range(state.num_atoms)])
        self._degrees = 3 * np.count_nonzero(self._masses) - system.getNumConstraints()
        # a small system's temperature fluctuates: 10 standard deviations on top
        spread = 10 * np.sqrt(2 / max(1, self._degrees))
        self._hot, self._calm = _HOT + spread, _CALM + spread
        self._begins_here()

    def set_table(self, table: PairTable) -> None:
        """Write another table of the same grid and types into the live Context; nothing is built anew."""
        check_table(self.table, table)
        self.force.setTable(table_of_force(self.state, table))
        self.force.updateParametersInContext(self.context)
        self.table = table
        self._fresh = True

    def set_friction(self, friction: float) -> None:
        """Have the thermostat use another friction, 1/ps."""
        self.friction = friction
        self.integrator.setFriction(friction)

    def melt(self, steps: int, progress: Progress | None = None) -> None:
        """From a lattice to a liquid or gas at the state's temperature in `steps` steps.

        A short minimisation takes overlapping cores apart. A first third runs hot (2.5 T) with half the time step,
        since collisions are harder there; the second third cools; the last one runs as sampling does.
        """
        temperature = self.state.temperature
        openmm.LocalEnergyMinimizer.minimize(self.context, 10.0, 50)
        self.context.setVelocitiesToTemperature(temperature, self._seed)
        self._begins_here()
        stages = 5
        hot, cooling = steps // 3, steps // 3 // stages
        try:
            self.integrator.setFriction(_MELTING_FRICTION)
            self.integrator.setStepSize(self.timestep / 2)
            self._thermostat(2.5 * temperature)
            self._advance(hot, progress)
            self.integrator.setStepSize(self.timestep)
            for stage in range(stages):
                self._thermostat(temperature * (2.5 - 1.5 * (stage + 1) / stages))
                self._advance(cooling, progress)
        finally:
            self.integrator.setStepSize(self.timestep)
            self.integrator.setFriction(self.friction)
            self._thermostat(temperature)
        self._advance(steps - hot - stages * cooling, progress)

    def equilibrate(self, steps: int, progress: Progress | None = None) -> None:
        """Run `steps` steps and keep nothing."""
        self._advance(steps, progress)

    def sample(self, steps: int, every: int, progress: Progress | None = None) -> Frames:
        """Run `steps` steps and keep every `every`-th: steps // every frames."""
        if every < 1:
            raise DiffPairError(f"frames must be kept every 1 or more steps, not {every}")
        count, size = steps // every, self.state.num_atoms
        positions, velocities = np.empty((count, size, 3)), np.empty((count, size, 3))
        boxes, energies = np.empty((count, 3, 3)), np.empty(count)
        boxes[:] = self.context.getState().getPeriodicBoxVectors(asNumpy=True)._value  # no barostat moves it
        for frame in range(count):
            self._advance(every, progress, energy=True)
            positions[frame], velocities[frame] = self._seen.x, self._seen.v
            energies[frame] = self._seen.energy
        self._advance(steps - count * every, progress)
        return Frames(positions, velocities, boxes, energies)

    def snapshot(self) -> Snapshot:
        """The present positions, velocities and box, to `restore` later or in another Sampler of the same state."""
        state = self.context.getState(positions=True, velocities=True)
        return Snapshot(
            state.getPositions(asNumpy=True)._value.copy(),
            state.getVelocities(asNumpy=True)._value.copy(),
            np.array(state.getPeriodicBoxVectors(asNumpy=True)._value),
            self.steps_done,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot. Steps that were taken since stay counted: they were paid for."""
        if snapshot.positions.shape != (self.state.num_atoms, 3):
            raise DiffPairError(
                f"the snapshot has {len(snapshot.positions)} particles, but state {self.state.name!r} has "
                f"{self.state.num_atoms}"
            )
        self.context.setPeriodicBoxVectors(*snapshot.box)
        self.context.setPositions(snapshot.positions)
        self.context.setVelocities(snapshot.velocities)
        self._begins_here()
        self.steps_done = max(self.steps_done, snapshot.steps_done)

    def _step(self, steps: int) -> None:
        self.integrator.step(steps)

    def _bath(self) -> float:
        """Temperature of the thermostat, K."""
        return float(self.integrator.getTemperature()._value)

    def _thermostat(self, temperature: float) -> None:
        self.integrator.setTemperature(temperature)

    def _advance(self, steps: int, progress: Progress | None, energy: bool = False) -> None:
        """Take steps in pieces, looking for an explosion after each; energy: have it in the last look."""
        while steps > 0:
            piece = min(steps, _CHECK_EVERY)
            steps -= piece
            try:
                begin = time.perf_counter()
                self._step(piece)
                self.md_seconds += time.perf_counter() - begin
                self.steps_done += piece
                seen = self._seen = self._look(energy and steps == 0)
            except openmm.OpenMMException as error:
                self._exploded(str(error))
            kinetic = self.kinetic_temperature(seen.v)
            if fault := self._fault(seen.x, kinetic):
                self._exploded(fault)
            self._since += piece
            if kinetic < self._calm * self._bath():
                self._sound, self._fresh = seen, False
                self._since = 0
            if progress is not None:
                progress(piece)

    def _begins_here(self) -> None:
        """What is known is the present structure; nothing has run from it yet."""
        self._began = self._sound = self._seen = self._look()
        self._fresh, self._since = True, 0

    def _look(self, energy: bool = False) -> _Seen:
        state = self.context.getState(positions=True, velocities=True, energy=energy)
        return _Seen(
            state.getPositions(asNumpy=True)._value,
            state.getVelocities(asNumpy=True)._value,
            state.getPotentialEnergy()._value if energy else np.nan,
        )

    def _fault(self, x: NDArray[np.float64], kinetic: float) -> str:
        """How an explosion shows in positions [N, 3] and the kinetic temperature; empty if there is none."""
        farthest = float(np.max(np.abs(x), initial=0.0))
        if not (np.isfinite(farthest) and np.isfinite(kinetic)):
            return "a coordinate is not a number"
        if kinetic > self._hot * self._bath():
            return f"its kinetic temperature is {kinetic:.4g} K"
        if farthest > 1e5 * float(np.max(self.state.box)):
            return f"a particle is {farthest:.3g} nm away"
        return ""

    def kinetic_temperature(self, velocities: NDArray[np.float64]) -> float:
        """Temperature of velocities [N, 3] in nm/ps, K."""
        doubled = float(np.sum(self._masses[:, None] * velocities**2))
        return doubled / (max(1, self._degrees) * BOLTZMANN)

    def _exploded(self, reason: str) -> None:
        kT = BOLTZMANN * self._bath()
        step = self.integrator.getStepSize()._value
        part = step / self.timestep  # melting runs with half of the time step
        steps = min(self._since + 2 * _CHECK_EVERY, _AGAIN)

        def again(timestep: float, steps: int, from_begin: bool = False) -> Trial:
            return self._again(part * timestep, steps, self._began if from_begin else self._sound)

        try:
            found = cause(self.state, self.table, kT, self.timestep, steps, self._fresh, again)
        except openmm.OpenMMException as error:
            found = f"it cannot be run again: {error}"
        finally:
            self.integrator.setStepSize(step)
        raise Exploded(
            f"the simulation of state {self.state.name!r} exploded by step {self.steps_done}: {reason}; {found}"
        ) from None

    def _again(self, timestep: float, steps: int, begin: _Seen) -> Trial:
        """Run from there. These steps do not count."""
        x = begin.x
        self.context.setPositions(x)
        self.context.setVelocities(begin.v)
        self.integrator.setStepSize(timestep)
        force = self.context.getState(forces=True).getForces(asNumpy=True)._value
        for _ in range(steps // _LOOK_EVERY):
            try:
                self.integrator.step(_LOOK_EVERY)
                state = self.context.getState(positions=True, velocities=True, forces=True)
            except openmm.OpenMMException:
                return Trial(True, x, force)
            now = state.getPositions(asNumpy=True)._value
            if np.isfinite(now).all():
                x, force = now, state.getForces(asNumpy=True)._value
            if self._fault(now, self.kinetic_temperature(state.getVelocities(asNumpy=True)._value)):
                return Trial(True, x, force)
        return Trial(False, x, force)
