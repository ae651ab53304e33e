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

    Attributes
    ----------
    state, table: what is simulated. timestep: ps. steps_done: by all methods. md_seconds: wall time that the program
    needed for them. tells_pressure: whether its frames hold the pressure, so that no `pressure_probe` is needed.

    Raises
    ------
    Exploded: from every method that takes steps. DiffPairError: the program itself failed; a fit ends there, and keeps
    what it has.
    """

    tells_pressure = False

    def _measure(
        self, state: State, table: PairTable, timestep: float, masses: NDArray[np.float64], constraints: int = 0,
        factor: float = 1.0,
    ) -> None:  # fmt: skip
        """Begin to count. masses: [N] amu, 0 for particles that do not move. factor: see `velocity_factor`."""
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
        """Write another table of the same grid and types into the live simulation; nothing is built anew."""

    @abstractmethod
    def set_friction(self, friction: float) -> None:
        """Have the thermostat use another friction, 1/ps."""

    def melt(self, steps: int, progress: Progress | None = None) -> None:
        """From a lattice to a liquid in so many steps, where the engine begins with one."""
        return None

    @abstractmethod
    def begin(self, snapshot: Snapshot | None, seed: int) -> None:
        """Go on from a snapshot, or from the structure that the state was made of, with random numbers of this seed.

        What the engine has done before leaves no trace: the same begin, table and steps give the same bits as in an
        engine that was made just now. That is what lets any process take over a state. (A user's own Simulation has
        random numbers of its own.) Raises as `restore`.
        """

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """The present positions, velocities and box, to `restore` later or in another Engine of the same state."""

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot, also after an explosion. Steps that were taken since stay counted: they were paid
        for; random numbers go on. Raises DiffPairError for one of another number of particles."""

    @abstractmethod
    def pressure_probe(self) -> PressureProbe:
        """What measures the pressure of frames, with all forces that act in them. Raises openmm.OpenMMException."""

    @abstractmethod
    def _advance(self, steps: int, progress: Progress | None) -> None:
        """Take steps, looking for an explosion every `CHECK_EVERY` of them or so."""

    @abstractmethod
    def _piece(self, count: int, every: int, progress: Progress | None) -> Frames:
        """Run `count` times `every` steps and return a frame after each."""

    def equilibrate(self, steps: int, progress: Progress | None = None) -> None:
        """Run `steps` steps and keep nothing."""
        self._advance(steps, progress)
        self.count_anew()

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
            piece = self._piece(min(size, count - done), every, progress)
            self._kinetic += float(sum(self.kinetic_temperature(v) for v in piece.velocities))
            self._frames += len(piece)
            yield piece
        self._advance(steps - count * every, progress)

    @property
    def kinetics(self) -> Kinetics:
        """Of the frames since the last equilibration, or since `count_anew`."""
        return Kinetics(self._kinetic, self._frames, self._bath(), self._degrees)

    def count_anew(self) -> None:
        """Have `kinetics` begin here."""
        self._kinetic, self._frames = 0.0, 0

    def temperature_fault(self) -> str:
        """A sentence where what was sampled since the last equilibration was not at the thermostat's temperature, see
        `wrong_temperature`."""
        return self.kinetics.fault(self.state.name, self.timestep)

    def kinetic_temperature(self, velocities: NDArray[np.float64]) -> float:
        """Temperature of velocities [N, 3] in nm/ps, K."""
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
        """How an explosion shows in positions [N, 3] and the kinetic temperature; empty if there is none."""
        farthest = float(np.max(np.abs(x), initial=0.0))
        if not (np.isfinite(farthest) and np.isfinite(kinetic)):
            return "a coordinate is not a number"
        if kinetic > self._hot * self._bath():
            return f"its kinetic temperature is {kinetic:.4g} K"
        if farthest > _FAR * float(np.max(self.state.box)):
            return f"a particle is {farthest:.3g} nm away"
        return ""
