"""A state that runs in the user's own Simulation."""

from __future__ import annotations

import openmm

from diffpair.engines.frames import Snapshot
from diffpair.engines.openmm_engine import OpenMMEngine, openmm_seed
from diffpair.errors import DiffPairError
from diffpair.states.learned_forces import learned_forces, term_names
from diffpair.states.state import State
from diffpair.states.system import check_table, table_of_force
from diffpair.tables import PairTable


class SimulationSampler(OpenMMEngine):
    """The user's Simulation at work for a fit: its integrator, its reporters, its platform, its random numbers.

    The potential goes into its Context before anything runs, see `UserSimulation.write`.

    Args:
        state: with a `simulation`.
        table: what is simulated.
        further_virial: see Sampler.

    Raises:
        DiffPairError: state and table do not fit.
        Exploded: from every method that takes steps.
    """

    def __init__(self, state: State, table: PairTable, further_virial: bool = False) -> None:
        if state.simulation is None:
            raise DiffPairError(f"state {state.name!r} has no Simulation of its own")
        self._user = state.simulation
        self._left: Snapshot | None = None  # the last one that was taken, where nothing has moved since
        self._write(state, table)
        simulation = self._user.simulation
        self._take(state, table, self._user.timestep, simulation.integrator, simulation.context, further_virial)

    def set_table(self, table: PairTable) -> None:
        """See Engine."""
        check_table(self.table, table)
        self._write(self.state, table)
        self.table = table
        self._fresh = True

    def _write(self, state: State, table: PairTable) -> None:
        self._user.write(table_of_force(state, table), lambda: learned_forces(state, table), term_names(state, table))

    def set_friction(self, friction: float) -> None:
        """Refused: the thermostat is the user's (DiffPairError)."""
        raise DiffPairError(f"state {self.state.name!r} runs in a Simulation whose friction is its own")

    def begin(self, snapshot: Snapshot | None, seed: int) -> None:
        """From the structure that the state was made of with new velocities, or from a snapshot; where the Simulation
        is still where that was taken it goes on undisturbed. The seed is that of the new velocities."""
        if snapshot is None:
            self.context.setPeriodicBoxVectors(*self.state.box)
            self.context.setPositions(self.state.positions)
            self.context.setVelocitiesToTemperature(self.state.temperature, openmm_seed(seed))
            self._user.moved = True
            self._begins_here()
        elif snapshot is not self._left:
            self.restore(snapshot)

    def snapshot(self) -> Snapshot:
        """See Engine."""
        self._left = super().snapshot()
        return self._left

    def restore(self, snapshot: Snapshot) -> None:
        """See Engine."""
        self._user.moved, self._left = True, None
        super().restore(snapshot)

    def _step(self, steps: int) -> None:
        self._user.moved, self._left = True, None
        try:
            self._user.simulation.step(steps)
        except openmm.OpenMMException:
            raise
        except Exception as error:
            if self._user.sound:
                raise
            # a reporter has seen the explosion before OpenMM did
            raise openmm.OpenMMException(str(error)) from error

    def _bath(self) -> float:
        return self.state.temperature
