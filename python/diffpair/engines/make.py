"""Which engine a state has."""

from __future__ import annotations

from diffpair.engines.engine import Engine
from diffpair.engines.lammps import LammpsEngine, ScriptEngine
from diffpair.engines.sampler import Sampler
from diffpair.engines.simulation_sampler import SimulationSampler
from diffpair.states.state import State
from diffpair.tables import PairTable


def make_engine(
    state: State, table: PairTable, *, timestep: float, friction: float, seed: int, platform: str | None,
    further_virial: bool = False, command: str | None = None,
) -> Engine:  # fmt: skip
    """The user's Simulation or LAMMPS input script, LAMMPS, or a Context of the fit's own; arguments as Sampler's, of
    which what is the user's has its own.

    Args:
        command: that starts LAMMPS; None: OpenMM runs the state.
    """
    if state.simulation is not None:
        return SimulationSampler(state, table, further_virial)
    if state.script is not None:
        return ScriptEngine(state, table, seed=seed, further_virial=further_virial)
    if command is not None:  # which runs no state whose pressure has more parts than the table's
        return LammpsEngine(state, table, timestep=timestep, friction=friction, seed=seed, command=command)
    return Sampler(
        state, table, timestep=timestep, friction=friction, seed=seed, platform=platform, further_virial=further_virial
    )
