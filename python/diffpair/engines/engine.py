"""A live simulation of a state: frames, snapshots, and an eye on whether it runs away."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.engines.explosion import Trial, cause
from diffpair.engines.frames import Exploded, Frames, Snapshot
from diffpair.engines.temperature import wrong_temperature
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import PressureProbe
from diffpair.states.state import State
from diffpair.states.system import with_molecules
from diffpair.systems.barostat import barostat_of
from diffpair.systems.platforms import platform_like
from diffpair.systems.thermostat import velocity_factor
from diffpair.tables import PairTable

_CHECK_EVERY = 100  # steps between looks at the kinetic temperature when no frames are taken
_HOT = 10.0  # times the thermostat's temperature: an explosion, not a fluctuation
_CALM = 2.0  # times the thermostat's temperature: below it nothing has gone wrong yet
_FAR = 1e5  # edges of the box: no particle diffuses there
_AGAIN = 1000  # steps of a run that is repeated, at most
_LOOK_EVERY = 5  # steps, in a run that is repeated to see how it explodes
_HELD = 500_000  # particles of all frames of a piece: 12 MB of positions, and as much of velocities

Progress = Callable[[int], None]  # called with the number of steps just done


def openmm_seed(seed: int) -> int:
    """A seed that OpenMM takes as one: an int, and not 0, which it takes for "a random seed"."""
    return int(seed) % (2**31 - 2) + 1


class _Seen(NamedTuple):
    """A look at the simulation: positions, velocities [N, 3] in nm, nm/ps; box [3, 3] in nm; potential energy in
    kJ/mol, or NaN."""

    x: NDArray[np.float64]
    v: NDArray[np.float64]
    box: NDArray[np.float64]
    energy: float


class Engine(ABC):
    """A state at work under a table that can be exchanged; what its Context is, subclasses say.

    Attributes
    ----------
    state, table: what is simulated. timestep: ps. integrator, context: OpenMM's. steps_done: by all methods.
    md_seconds: wall time that OpenMM needed for them.

    Raises
    ------
    Exploded: from every method that takes steps.
    """

    def _take(
        self, state: State, table: PairTable, timestep: float, integrator: openmm.Integrator, context: openmm.Context,
        further_virial: bool,
    ) -> None:  # fmt: skip
        """Simulate with this Context, which has positions and velocities."""
        self.state, self.table, self.timestep = state, table, timestep
        self.integrator, self.context = integrator, context
        self.steps_done, self.md_seconds = 0, 0.0
        self._kinetic, self._frames = 0.0, 0  # since the last equilibration
        self._since = 0  # steps since all was sound
        self._factor = velocity_factor(integrator)
        system = context.getSystem()
        self._barostat = barostat_of(system)
        self._own: PressureProbe | None = None
        if further_virial:
            alike = platform_like(context)
            self._own = PressureProbe(with_molecules(state), state.temperature, *alike, beside=context)
        self._masses = np.array([system.getParticleMass(i)._value for i in range(state.num_atoms)])
        self._degrees = 3 * np.count_nonzero(self._masses) - system.getNumConstraints()
        # a small system's temperature fluctuates: 10 standard deviations on top
        spread = 10 * np.sqrt(2 / max(1, self._degrees))
        self._hot, self._calm = _HOT + spread, _CALM + spread
        self._begins_here()

    @abstractmethod
    def set_table(self, table: PairTable) -> None:
        """Write another table of the same grid and types into the live Context; nothing is built anew."""

    @abstractmethod
    def set_friction(self, friction: float) -> None:
        """Have the thermostat use another friction, 1/ps."""

    def melt(self, steps: int, progress: Progress | None = None) -> None:
        """From a lattice to a liquid in so many steps, where the engine begins with one."""
        return None

    def begin_anew(self) -> None:
        """To the structure that the state was made of, where the engine is not new itself."""
        return None

    def equilibrate(self, steps: int, progress: Progress | None = None) -> None:
        """Run `steps` steps and keep nothing."""
        self._advance(steps, progress)
        self._kinetic, self._frames = 0.0, 0

    def sample(self, steps: int, every: int, progress: Progress | None = None) -> Frames:
        """Run `steps` steps and keep every `every`-th: steps // every frames, all in memory; see `stream`."""
        parts = list(self.stream(steps, every, progress))
        return Frames.joined(parts or [self._piece(0, every, progress)])

    def stream(self, steps: int, every: int, progress: Progress | None = None) -> Iterator[Frames]:
        """Run `steps` steps and give every `every`-th, in pieces that are small however many frames there are.

        The simulation goes on as pieces are asked for; the steps are done when all of them have been.
        """
        if every < 1:
            raise DiffPairError(f"frames must be kept every 1 or more steps, not {every}")
        count, size = steps // every, max(1, _HELD // max(1, self.state.num_atoms))
        for done in range(0, count, size):
            yield self._piece(min(size, count - done), every, progress)
        self._advance(steps - count * every, progress)

    def _piece(self, count: int, every: int, progress: Progress | None) -> Frames:
        size = self.state.num_atoms
        positions, velocities = np.empty((count, size, 3)), np.empty((count, size, 3))
        boxes, energies = np.empty((count, 3, 3)), np.empty(count)
        centres, virials = np.empty((count, size if self._own else 0, 3)), np.zeros(count)
        for frame in range(count):
            self._advance(every, progress, energy=True)
            positions[frame], velocities[frame], boxes[frame] = self._seen.x, self._seen.v, self._seen.box
            energies[frame] = self._seen.energy
            self._kinetic += self.kinetic_temperature(self._seen.v)
            self._frames += 1
            if self._own is not None:
                centres[frame] = self._own.molecules.centres(positions[frame])
                virials[frame] = self._own.virial(positions[frame], boxes[frame])
        return Frames(positions, velocities, boxes, energies, centres, virials)

    def temperature_fault(self) -> str:
        """A sentence where what was sampled since the last equilibration was not at the thermostat's temperature, see
        `wrong_temperature`."""
        mean = self._kinetic / self._frames if self._frames else np.nan
        return wrong_temperature(self.state.name, mean, self._bath(), self._degrees, self._frames, self.timestep)

    def snapshot(self) -> Snapshot:
        """The present positions, velocities and box, to `restore` later or in another Engine of the same state."""
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
            np.array(state.getPeriodicBoxVectors(asNumpy=True)._value),
            state.getPotentialEnergy()._value if energy else np.nan,
        )

    def _fault(self, x: NDArray[np.float64], kinetic: float) -> str:
        """How an explosion shows in positions [N, 3] and the kinetic temperature; empty if there is none."""
        farthest = float(np.max(np.abs(x), initial=0.0))
        if not (np.isfinite(farthest) and np.isfinite(kinetic)):
            return "a coordinate is not a number"
        if kinetic > self._hot * self._bath():
            return f"its kinetic temperature is {kinetic:.4g} K"
        if farthest > _FAR * float(np.max(self.state.box)):
            return f"a particle is {farthest:.3g} nm away"
        return ""

    def kinetic_temperature(self, velocities: NDArray[np.float64]) -> float:
        """Temperature of velocities [N, 3] in nm/ps, K."""
        doubled = self._factor * float(np.sum(self._masses[:, None] * velocities**2))
        return doubled / (max(1, self._degrees) * BOLTZMANN)

    def _exploded(self, reason: str) -> None:
        if shrunk := self._shrunk():
            raise Exploded(shrunk) from None
        kT = BOLTZMANN * self._bath()
        step = self.integrator.getStepSize()._value
        part = step / self.timestep  # melting runs with half of the time step
        steps = min(self._since + 2 * _CHECK_EVERY, _AGAIN)
        count, now = self.context.getStepCount(), self.context.getTime()

        def again(timestep: float, steps: int, from_begin: bool = False) -> Trial:
            return self._again(part * timestep, steps, self._began if from_begin else self._sound)

        try:
            found = cause(self.state, self.table, kT, self.timestep, steps, self._fresh, again)
        except openmm.OpenMMException as error:
            found = f"it cannot be run again: {error}"
        finally:
            self.integrator.setStepSize(step)
            self.context.setStepCount(count)  # a user's reporters count on it
            self.context.setTime(now)
        raise Exploded(
            f"the simulation of state {self.state.name!r} exploded by step {self.steps_done}: {reason}; {found}"
        ) from None

    def _shrunk(self) -> str:
        """Whether a barostat has made the box too small for a cutoff, in words; empty where it has not."""
        if self._barostat is None:
            return ""
        box = self.context.getState().getPeriodicBoxVectors(asNumpy=True)._value
        forces = self.context.getSystem().getForces()
        cutoffs = [f.getCutoffDistance()._value for f in forces if hasattr(f, "getCutoffDistance")]
        half, cutoff = 0.5 * float(np.min(np.diag(box))), max([self.table.cutoff, *cutoffs])
        if half >= cutoff:
            return ""
        return (
            f"the box of state {self.state.name!r} shrank under its barostat ({self.state.barostat_pressure:g} bar) by "
            f"step {self.steps_done} until half of it, {half:.4g} nm, was shorter than the cutoff of {cutoff:g} nm: "
            f"use more particles or a shorter cutoff, unless the potential attracts too much or the structure began "
            f"far from its density"
        )

    def _again(self, timestep: float, steps: int, begin: _Seen) -> Trial:
        """Run from there. These steps do not count."""
        x, box = begin.x, begin.box
        self.context.setPeriodicBoxVectors(*box)
        self.context.setPositions(x)
        self.context.setVelocities(begin.v)
        self.integrator.setStepSize(timestep)
        force = self.context.getState(forces=True).getForces(asNumpy=True)._value
        for _ in range(steps // _LOOK_EVERY):
            try:
                self.integrator.step(_LOOK_EVERY)
                state = self.context.getState(positions=True, velocities=True, forces=True)
            except openmm.OpenMMException:
                return Trial(True, x, box, force)
            now = state.getPositions(asNumpy=True)._value
            if np.isfinite(now).all():
                x, force = now, state.getForces(asNumpy=True)._value
                box = np.array(state.getPeriodicBoxVectors(asNumpy=True)._value)
            if self._fault(now, self.kinetic_temperature(state.getVelocities(asNumpy=True)._value)):
                return Trial(True, x, box, force)
        return Trial(False, x, box, force)
