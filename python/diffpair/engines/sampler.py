"""One live OpenMM Context per state: it is melted once and then follows the potential as that is learned."""

from __future__ import annotations

import openmm

from diffpair.bonded import write_live
from diffpair.engines import melting
from diffpair.engines.engine import Progress
from diffpair.engines.frames import Snapshot
from diffpair.engines.openmm_engine import OpenMMEngine, openmm_seed
from diffpair.errors import DiffPairError
from diffpair.states.state import State
from diffpair.states.system import check_table, make_system, table_of_force
from diffpair.systems.barostat import barostat_of, check_barostat
from diffpair.systems.platforms import pick_platform
from diffpair.systems.shared_cutoff import shared_cutoff
from diffpair.tables import PairTable

_BAROSTAT_SEED = 104_729  # added to the thermostat's: the two share no random numbers


class Sampler(OpenMMEngine):
    """A live simulation of one state with LangevinMiddleIntegrator, and the barostat of its System if it has one.

    Args:
        state: what is simulated.
        table: the potential.
        timestep: ps.
        friction: 1/ps.
        seed: of thermostat, barostat and first velocities; the same seed gives the same run.
        platform: an OpenMM platform's name; by default CPU.
        further_virial: frames hold what the pressure of molecules and further forces needs, see `Frames`.

    Raises:
        DiffPairError: state and table do not fit.
        Exploded: from every method that takes steps.
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
        further_virial: bool = False,
    ) -> None:
        if not timestep > 0:
            raise DiffPairError(f"the time step must be positive, not {timestep:g} ps")
        self.friction = friction
        chosen, properties = pick_platform(platform)
        system, self.force = make_system(state, table)
        cutoff = shared_cutoff(state.name, system, self.force.getForceGroup(), chosen.getName(), table.cutoff)
        self.force.setCutoffDistance(cutoff)
        check_barostat(f"state {state.name!r}", system, state.temperature)
        integrator = openmm.LangevinMiddleIntegrator(state.temperature, friction, timestep)
        self._seed_all(seed, integrator, system)
        context = openmm.Context(system, integrator, chosen, properties)
        self._place(state, context)
        self._take(state, table, timestep, integrator, context, further_virial)

    def begin(self, snapshot: Snapshot | None, seed: int) -> None:
        """See Engine. A Context that is initialised anew has no neighbour list and no random numbers left over."""
        self._seed_all(seed, self.integrator, self.context.getSystem())
        self.context.reinitialize()
        if self._own is not None:
            self._own.begin()
        if snapshot is None:
            self._place(self.state, self.context)
            self._begins_here()
        else:
            self.restore(snapshot)
        self.steps_done = 0 if snapshot is None else snapshot.steps_done

    def _seed_all(self, seed: int, integrator: openmm.Integrator, system: openmm.System) -> None:
        """Thermostat, barostat and first velocities, from when the Context is next made."""
        self._seed = openmm_seed(seed)
        integrator.setRandomNumberSeed(self._seed)
        if (barostat := barostat_of(system)) is not None:
            barostat.setRandomNumberSeed((self._seed + _BAROSTAT_SEED) % (2**31 - 2) + 1)

    def _place(self, state: State, context: openmm.Context) -> None:
        """At the structure that the state was made of."""
        context.setPeriodicBoxVectors(*state.box)
        context.setPositions(state.positions)
        context.setVelocitiesToTemperature(state.temperature, self._seed)

    def set_table(self, table: PairTable) -> None:
        """See Engine."""
        check_table(self.table, table)
        self.force.setTable(table_of_force(self.state, table))
        self.force.updateParametersInContext(self.context)
        write_live(table.bonded, self.context)
        self.table = table
        self._fresh = True

    def set_friction(self, friction: float) -> None:
        """See Engine."""
        self.friction = friction
        self.integrator.setFriction(friction)

    def melt(self, steps: int, progress: Progress | None = None) -> None:
        """From a lattice to a liquid or gas at the state's temperature.

        A short minimisation takes overlapping cores apart. A barostat acts in the last third only: before, there is
        another temperature, whose volume is another one.

        Args:
            steps: number of time steps.
            progress: called with the number of steps just done.
        """
        temperature = self.state.temperature
        openmm.LocalEnergyMinimizer.minimize(self.context, *melting.MINIMISED)
        self.context.setVelocitiesToTemperature(temperature, self._seed)
        self._begins_here()
        frequency = 0 if self._barostat is None else self._barostat.getFrequency()
        try:
            if self._barostat is not None:
                self._barostat.setFrequency(0)  # OpenMM reads it at every step
            self.integrator.setFriction(melting.FRICTION)
            for stage in melting.stages(steps):
                self.integrator.setStepSize(stage.timestep * self.timestep)
                self._thermostat(stage.temperature * temperature)
                self._advance(stage.steps, progress)
                steps -= stage.steps
        finally:
            self.integrator.setStepSize(self.timestep)
            self.integrator.setFriction(self.friction)
            self._thermostat(temperature)
            if self._barostat is not None:
                self._barostat.setFrequency(frequency)
        self._advance(steps, progress)

    def _thermostat(self, temperature: float) -> None:
        self.integrator.setTemperature(temperature)
