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

    Parameters
    ----------
    state: with a `simulation`. table: what is simulated. seed: of the velocities that `begin_anew` gives.
    further_virial: see Sampler.

    Raises
    ------
    DiffPairError: state and table do not fit. Exploded: from every method that takes steps.
    """

    def __init__(self, state: State, table: PairTable, seed: int, further_virial: bool = False) -> None:
        if state.simulation is None:
            raise DiffPairError(f"state {state.name!r} has no Simulation of its own")
        self._user, self._seed = state.simulation, openmm_seed(seed)
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

    def begin_anew(self) -> None:
        """To the structure that the state was made of, with new velocities."""
        self.context.setPeriodicBoxVectors(*self.state.box)
        self.context.setPositions(self.state.positions)
        self.context.setVelocitiesToTemperature(self.state.temperature, self._seed)
        self._user.moved = True
        self._begins_here()

    def restore(self, snapshot: Snapshot) -> None:
        """See Engine."""
        self._user.moved = True
        super().restore(snapshot)

    def _step(self, steps: int) -> None:
        self._user.moved = True
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
