"""A live simulation in an OpenMM Context: frames, snapshots, and an eye on whether it runs away."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.engines.engine import CHECK_EVERY, Engine, Progress
from diffpair.engines.explosion import Trial, cause
from diffpair.engines.frames import Exploded, Frames, Snapshot
from diffpair.observables.pressure import PressureProbe
from diffpair.states.state import State
from diffpair.states.system import with_molecules
from diffpair.systems.barostat import barostat_of
from diffpair.systems.platforms import platform_like
from diffpair.systems.thermostat import velocity_factor
from diffpair.tables import PairTable

_AGAIN = 1000  # steps of a run that is repeated, at most
_LOOK_EVERY = 5  # steps, in a run that is repeated to see how it explodes


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


class OpenMMEngine(Engine):
    """A state at work in a Context; what that is, subclasses say.

    Attributes
    ----------
    integrator, context: OpenMM's. The others are those of Engine.
    """

    def _take(
        self, state: State, table: PairTable, timestep: float, integrator: openmm.Integrator, context: openmm.Context,
        further_virial: bool,
    ) -> None:  # fmt: skip
        """Simulate with this Context, which has positions and velocities."""
        self.integrator, self.context = integrator, context
        self._since = 0  # steps since all was sound
        system = context.getSystem()
        self._barostat = barostat_of(system)
        self._own: PressureProbe | None = None
        if further_virial:
            alike = platform_like(context)
            self._own = PressureProbe(with_molecules(state), state.temperature, *alike, beside=context)
        masses = np.array([system.getParticleMass(i)._value for i in range(state.num_atoms)])
        self._measure(state, table, timestep, masses, system.getNumConstraints(), velocity_factor(integrator))
        self._begins_here()

    def pressure_probe(self) -> PressureProbe:
        """See Engine."""
        alike = platform_like(self.context)
        return PressureProbe(self.context.getSystem(), self.state.temperature, *alike, beside=self.context)

    def _piece(self, count: int, every: int, progress: Progress | None) -> Frames:
        size = self.state.num_atoms
        positions, velocities = np.empty((count, size, 3)), np.empty((count, size, 3))
        boxes, energies = np.empty((count, 3, 3)), np.empty(count)
        centres, virials = np.empty((count, size if self._own else 0, 3)), np.zeros(count)
        for frame in range(count):
            self._steps(every, progress, energy=True)
            positions[frame], velocities[frame], boxes[frame] = self._seen.x, self._seen.v, self._seen.box
            energies[frame] = self._seen.energy
            if self._own is not None:
                centres[frame] = self._own.molecules.centres(positions[frame])
                virials[frame] = self._own.virial(positions[frame], boxes[frame])
        return Frames(positions, velocities, boxes, energies, centres, virials)

    def snapshot(self) -> Snapshot:
        """See Engine."""
        state = self.context.getState(positions=True, velocities=True)
        return Snapshot(
            state.getPositions(asNumpy=True)._value.copy(),
            state.getVelocities(asNumpy=True)._value.copy(),
            np.array(state.getPeriodicBoxVectors(asNumpy=True)._value),
            self.steps_done,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """See Engine."""
        self._check(snapshot)
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

    def _advance(self, steps: int, progress: Progress | None) -> None:
        self._steps(steps, progress)

    def _steps(self, steps: int, progress: Progress | None, energy: bool = False) -> None:
        """Take steps in pieces, looking for an explosion after each; energy: have it in the last look."""
        while steps > 0:
            piece = min(steps, CHECK_EVERY)
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

    def _exploded(self, reason: str) -> None:
        if shrunk := self._shrunk():
            raise Exploded(shrunk) from None
        found = self.why_exploded(self._since, self._fresh)
        raise Exploded(
            f"the simulation of state {self.state.name!r} exploded by step {self.steps_done}: {reason}; {found}"
        ) from None

    def why_exploded(self, since: int, fresh: bool) -> str:
        """The cause in words, found by running again from where all was sound, see `explosion.cause`.

        Args:
            since: steps from there to the explosion. fresh: nothing had run with this table there.
        """
        kT = BOLTZMANN * self._bath()
        step = self.integrator.getStepSize()._value
        part = step / self.timestep  # melting runs with half of the time step
        steps = min(since + 2 * CHECK_EVERY, _AGAIN)
        count, now = self.context.getStepCount(), self.context.getTime()

        def again(timestep: float, steps: int, from_begin: bool = False) -> Trial:
            return self._again(part * timestep, steps, self._began if from_begin else self._sound)

        try:
            return cause(self.state, self.table, kT, self.timestep, steps, fresh, again)
        except openmm.OpenMMException as error:
            return f"it cannot be run again: {error}"
        finally:
            self.integrator.setStepSize(step)
            self.context.setStepCount(count)  # a user's reporters count on it
            self.context.setTime(now)

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
