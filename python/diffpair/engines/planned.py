"""Production as the settings of a fit ask for it."""

from __future__ import annotations

from diffpair.engines.fastest import platform_of
from diffpair.engines.frames import Snapshot
from diffpair.engines.pieces import Plan
from diffpair.join import timestep_of
from diffpair.settings.fit_settings import FitSettings
from diffpair.states.state import State
from diffpair.tables import PairTable

_EQUILIBRATION = 1000  # steps at least


def production_interval(settings: FitSettings) -> int:
    """Steps between the frames of production."""
    return settings.production.every or max(20, settings.sampling.every)


def plan_production(
    settings: FitSettings,
    state: State,
    table: PairTable,
    seed: int,
    *,
    friction: float | None = None,
    start: Snapshot | None = None,
    max_steps: int | None = None,
) -> Plan:
    """The run of a state with a table.

    Args:
        seed: of this run. friction: 1/ps, that of the settings by default. start: to begin from; by default the
            structure that the state was made of. max_steps: those of the settings by default.

    Raises DiffPairError where the run would be too short, or there is no such platform.
    """
    section, sampling = settings.production, settings.sampling
    return Plan(
        state=state,
        table=table,
        timestep=timestep_of(sampling, state),
        max_steps=section.max_steps if max_steps is None else max_steps,
        noise_target=section.noise_target,
        every=production_interval(settings),
        seed=seed,
        equilibration=max(sampling.equilibration, _EQUILIBRATION),
        melt=sampling.melt,
        start=start,
        friction=sampling.friction if friction is None else friction,
        platform=platform_of(sampling.platform),
        command=sampling.lammps,
    )
