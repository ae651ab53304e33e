"""What a fit asks of a live simulation of a state, whatever program runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.engines.frames import Frames, Snapshot
from diffpair.engines.temperature import Kinetics
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import PressureProbe
from diffpair.states.state import State
from diffpair.tables import PairTable

CHECK_EVERY = 100  # steps between looks at the kinetic temperature when no frames are taken
_HOT = 10.0  # times the thermostat's temperature: an explosion, not a fluctuation
_CALM = 2.0  # times the thermostat's temperature: below it nothing has gone wrong yet
_FAR = 1e5  # edges of the box: no particle diffuses there
_HELD = 500_000  # particles of all frames of a piece: 12 MB of positions, and as much of velocities

Progress = Callable[[int], None]  # called with the number of steps just done


class Engine(ABC):
    """A state at work under a table that can be exchanged.

    An engine is made with its state, which it checks, and is ready to run when it is made. What is not abstract here is
    the same for all of them.

    Attributes:
        state: what is simulated.
        table: the potential.
        timestep: ps.
        steps_done: number of steps of all methods.
        md_seconds: wall time that the program needed for them.
        tells_pressure: whether its frames hold the pressure, so that no `pressure_probe` is needed.

    Raises:
        Exploded: from every method that takes steps.
        DiffPairError: the program itself failed; a fit ends there, and keeps what it has.
    """

    tells_pressure = False

    def _measure(
        self, state: State, table: PairTable, timestep: float, masses: NDArray[np.float64], constraints: int = 0,
        factor: float = 1.0,
    ) -> None:  # fmt: skip
        """Begin to count; the end of a constructor.

        Args:
            state: what is simulated.
            table: the potential.
            timestep: ps.
            masses: amu, [N]; 0 for particles that do not move.
            constraints: number of constraints.
            factor: what <m v^2> / kT of the program's velocities is multiplied by to be 1; another number than 1 for
                Brownian dynamics alone.
        """
        self.state, self.table, self.timestep = state, table, timestep
        self.steps_done, self.md_seconds = 0, 0.0
        self._kinetic, self._frames = 0.0, 0  # since the last equilibration
        self._masses, self._factor = masses, factor
        self._degrees = 3 * int(np.count_nonzero(masses)) - constraints
        # a small system's temperature fluctuates: 10 standard deviations on top
        spread = 10 * np.sqrt(2 / max(1, self._degrees))
        self._hot, self._calm = _HOT + spread, _CALM + spread

    @abstractmethod
    def set_table(self, table: PairTable) -> None:
        """Write another table into the live simulation; nothing is built anew.

        Args:
            table: of the same grid and types.

        Raises:
            DiffPairError: another grid or other types.
        """

    @abstractmethod
    def set_friction(self, friction: float) -> None:
        """Have the thermostat use another friction.

        Args:
            friction: 1/ps.
        """

    def melt(self, steps: int, progress: Progress | None = None) -> None:
        """From a lattice to a liquid, where the engine begins with one.

        Args:
            steps: number of time steps.
            progress: called with the number of steps just done.
        """
        return None

    @abstractmethod
    def begin(self, snapshot: Snapshot | None, seed: int) -> None:
        """Go on from a snapshot, or from the structure that the state was made of, with random numbers of this seed.

        What the engine has done before leaves no trace: the same begin, table and steps give the same bits as in an
        engine that was made just now. That is what lets any process take over a state. (A user's own Simulation has
        random numbers of its own.)

        Args:
            snapshot: where to go on; None is the structure that the state was made of.
            seed: of all random numbers from here on.

        Raises:
            DiffPairError: a snapshot of another number of particles.
        """

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """The present positions, velocities and box, to `restore` later or in another Engine of the same state.

        Returns:
            The snapshot.
        """

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot, also after an explosion. Steps that were taken since stay counted: they were paid
        for; random numbers go on.

        Args:
            snapshot: of an Engine of the same state.

        Raises:
            DiffPairError: a snapshot of another number of particles.
        """

    @abstractmethod
    def pressure_probe(self) -> PressureProbe:
        """What measures the pressure of frames, with all forces that act in them.

        Returns:
            The probe.

        Raises:
            openmm.OpenMMException: the System cannot be computed.
        """

    @abstractmethod
    def _advance(self, steps: int, progress: Progress | None) -> None:
        """Take steps of which nothing is kept, looking for an explosion every 100 of them or so.

        Args:
            steps: number of time steps.
            progress: called with the number of steps just done.

        Raises:
            Exploded: the simulation ran away.
        """

    @abstractmethod
    def _piece(self, count: int, every: int, progress: Progress | None) -> Frames:
        """Run `count` times `every` steps.

        Args:
            count: number of frames.
            every: steps between frames.
            progress: called with the number of steps just done.

        Returns:
            A frame after each.

        Raises:
            Exploded: the simulation ran away.
        """

    def equilibrate(self, steps: int, progress: Progress | None = None) -> None:
        """Run and keep nothing.

        Args:
            steps: number of time steps.
            progress: called with the number of steps just done.

        Raises:
            Exploded: the simulation ran away.
        """
        self._advance(steps, progress)
        self.count_anew()

    def sample(self, steps: int, every: int, progress: Progress | None = None) -> Frames:
        """Run and keep frames, all in memory.

        Args:
            steps: number of time steps.
            every: steps between frames.
            progress: called with the number of steps just done.

        Returns:
            steps // every frames.

        Raises:
            Exploded: the simulation ran away.
        """
        parts = list(self.stream(steps, every, progress))
        return Frames.joined(parts or [self._piece(0, every, progress)])

    def stream(self, steps: int, every: int, progress: Progress | None = None) -> Iterator[Frames]:
        """Run and give frames in pieces that are small however many there are.

        The simulation goes on as pieces are asked for; the steps are done when all of them have been.

        Args:
            steps: number of time steps.
            every: steps between frames.
            progress: called with the number of steps just done.

        Yields:
            Frames, steps // every of them in all.

        Raises:
            Exploded: the simulation ran away.
            DiffPairError: `every` is below 1.
        """
        if every < 1:
            raise DiffPairError(f"frames must be kept every 1 or more steps, not {every}")
        count, size = steps // every, max(1, _HELD // max(1, self.state.num_atoms))
        for done in range(0, count, size):
            piece = self._piece(min(size, count - done), every, progress)
            self._kinetic += float(sum(self.kinetic_temperature(v) for v in piece.velocities))
            self._frames += len(piece)
            yield piece
        self._advance(steps - count * every, progress)

    @property
    def kinetics(self) -> Kinetics:
        """Kinetic temperature of the frames since the last equilibration, or since `count_anew`."""
        return Kinetics(self._kinetic, self._frames, self._bath(), self._degrees)

    def count_anew(self) -> None:
        """Have `kinetics` begin here."""
        self._kinetic, self._frames = 0.0, 0

    def temperature_fault(self) -> str:
        """Whether what was sampled since the last equilibration was at the thermostat's temperature.

        Returns:
            A sentence where it was not; empty where it was.
        """
        return self.kinetics.fault(self.state.name, self.timestep)

    def kinetic_temperature(self, velocities: NDArray[np.float64]) -> float:
        """Temperature of one frame.

        Args:
            velocities: nm/ps, [N, 3].

        Returns:
            The kinetic temperature, K.
        """
        doubled = self._factor * float(np.sum(self._masses[:, None] * velocities**2))
        return doubled / (max(1, self._degrees) * BOLTZMANN)

    def _bath(self) -> float:
        """Temperature of the thermostat, K."""
        return self.state.temperature

    def _check(self, snapshot: Snapshot) -> None:
        if snapshot.positions.shape != (self.state.num_atoms, 3):
            raise DiffPairError(
                f"the snapshot has {len(snapshot.positions)} particles, but state {self.state.name!r} has "
                f"{self.state.num_atoms}"
            )

    def _fault(self, x: NDArray[np.float64], kinetic: float) -> str:
        """How an explosion shows.

        Args:
            x: positions, nm, [N, 3].
            kinetic: kinetic temperature, K.

        Returns:
            Words; empty where there is none.
        """
        farthest = float(np.max(np.abs(x), initial=0.0))
        if not (np.isfinite(farthest) and np.isfinite(kinetic)):
            return "a coordinate is not a number"
        if kinetic > self._hot * self._bath():
            return f"its kinetic temperature is {kinetic:.4g} K"
        if farthest > _FAR * float(np.max(self.state.box)):
            return f"a particle is {farthest:.3g} nm away"
        return ""
