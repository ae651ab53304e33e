"""The run with the final table: what `summary.json` reports. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.engines.distributions import Distributions
from diffpair.engines.engine import Engine
from diffpair.engines.frames import Frames, Snapshot
from diffpair.engines.histograms import Histograms
from diffpair.engines.results import Density, DensityResult, PressureResult, ProductionResult, RdfResult, VacfResult
from diffpair.engines.series_error import SHORTEST, SeriesError, series_error
from diffpair.engines.simulation_sampler import make_engine
from diffpair.engines.vacf import sample_vacf
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import Pressure, PressureProbe
from diffpair.states.state import State
from diffpair.systems.platforms import platform_like
from diffpair.tables import PairTable
from diffpair.targets import DensityTarget, PressureTarget, VacfTarget
from diffpair.targets.density_target import MASS

_ROUND = 20  # frames between reports of progress
_FIRST_LOOK, _NEXT_LOOK = 100, 1.05  # frames before the noise is looked at, and how many times as many the next time
_VACF_STEPS = 6000  # of a run of its own after the others
_PRESSURE_EVERY = 4  # frames: a pressure costs two energies and two neighbour lists

Progress = Callable[[int, float], None]  # steps just done, the present mae_noise (NaN while unknown)


def production(
    state: State,
    table: PairTable,
    *,
    timestep: float,
    max_steps: int,
    noise_target: float = 0.002,
    every: int = 10,
    seed: int = 1,
    equilibration: int = 2000,
    melt: int = 2000,
    start: Snapshot | None = None,
    friction: float = 1.0,
    platform: str | None = None,
    progress: Progress | None = None,
) -> ProductionResult:
    """Simulate a state until the noise of its g(r) is small.

    Runs until `mae_noise` of every RDF is known and `noise_target` or less, or `max_steps`. A state without one runs
    `max_steps` for its pressure or density.

    Parameters
    ----------
    timestep: ps. friction: 1/ps. every: steps between frames. seed: of this run; take another one than the fit's.
    equilibration, melt: steps before; `melt` only for a state on a lattice and without `start`.
    start: positions and velocities to begin from, for example the end of a sampling run.
    progress: called as progress(steps just done, present mae_noise) after each round.

    Raises
    ------
    Exploded: the simulation ran away. DiffPairError: state and table do not fit, or `max_steps` is too short.
    """
    if max_steps < SHORTEST * every:
        raise DiffPairError(
            f"production of {max_steps} steps with a frame every {every} is too short: error bars need {SHORTEST} "
            f"frames"
        )
    sampler = make_engine(state, table, timestep=timestep, friction=friction, seed=seed, platform=platform)
    _begin(sampler, start, melt, equilibration)
    stride = _PRESSURE_EVERY if not state.pressures and max_steps // every >= SHORTEST * _PRESSURE_EVERY else 1
    measured = _Measured(sampler, stride)
    steps = _run(measured, max_steps, noise_target, every, progress)
    vacfs = [_vacf(sampler, target, timestep) for target in state.vacfs]
    return measured.result(vacfs, steps, noise_target)


def _begin(sampler: Engine, start: Snapshot | None, melt: int, equilibration: int) -> None:
    """From a snapshot, or anew, to equilibrium."""
    if start is not None:
        sampler.restore(start)
    else:
        sampler.begin_anew()
        if sampler.state.on_lattice:
            sampler.melt(melt)
    sampler.equilibrate(equilibration)


def _run(measured: _Measured, max_steps: int, noise_target: float, every: int, progress: Progress | None) -> int:
    """Sample until the noise is known to be small enough. Returns the number of steps."""
    steps, next_look, noise, enough = 0, float(_FIRST_LOOK), np.nan, False
    while steps + every <= max_steps and not enough:
        count = min(_ROUND, (max_steps - steps) // every)
        for frames in measured.sampler.stream(count * every, every):
            measured.add(frames)
        steps += count * every
        if measured.state.rdfs and measured.frames >= next_look:
            next_look = _NEXT_LOOK * measured.frames
            noise, enough = _judge(measured.histograms.results(), noise_target)
        if progress is not None:
            progress(count * every, noise)
    return steps


class _Measured:
    """What the frames of a run have shown.

    stride: frames from one that a pressure is measured of to the next.
    """

    def __init__(self, sampler: Engine, stride: int) -> None:
        self.sampler, self.state, self.stride = sampler, sampler.state, stride
        self.histograms, self.distributions = Histograms(self.state), Distributions(self.state)
        self.probe, self.no_pressure = _probe(sampler)
        self.frames = 0
        self._pressures: list[NDArray[np.float64]] = []
        self._volumes: list[NDArray[np.float64]] = []

    def add(self, frames: Frames) -> None:
        """Count these, too."""
        self.histograms.add(frames)
        self.distributions.add(frames)
        self._volumes.append(np.abs(np.linalg.det(frames.boxes)))
        if self.probe is not None:
            chosen = slice(-self.frames % self.stride, None, self.stride)
            self._pressures.append(self.probe.pressures(frames.positions[chosen], frames.boxes[chosen]))
        self.frames += len(frames)

    def result(self, vacfs: list[VacfResult], steps: int, noise_target: float) -> ProductionResult:
        """All averages with their errors, and what is to be said of them."""
        state, results = self.state, self.histograms.results()
        noise, converged = _judge(results, noise_target)
        pressure_series = series_error(np.concatenate(self._pressures)) if self._pressures else None
        pressure = None
        if pressure_series is not None:
            pressure = Pressure(float(np.mean(np.concatenate(self._pressures))), float(pressure_series.error))
        density_series = series_error(1 / np.concatenate(self._volumes))
        per_volume = float(np.mean(1 / np.concatenate(self._volumes)))  # nm^-3
        spread = float(density_series.error)
        mass = state.amount(MASS)
        notes = self._limits() + _doubts(state, results, pressure_series, density_series, steps, self.frames)
        if results and not converged and noise > noise_target:
            notes.append(
                f"state {state.name!r} ran its {steps} steps, but the noise of its mean |g - target| is still "
                f"{noise:.2g} (wanted: {noise_target:g})"
            )
        return ProductionResult(
            state=state.name,
            held_out=state.held_out,
            targets=[
                *results,
                *_compare(state.pressures, pressure),
                *(_compare_density(state, target, per_volume, spread) for target in state.densities),
                *vacfs,
                *self.distributions.results(),
            ],
            pressure=pressure,
            density=Density(mass * per_volume, mass * spread),
            steps=steps,
            converged=converged,
            shortest=float(self.histograms.shortest),
            last=self.sampler.snapshot(),
            no_pressure=self.no_pressure,
            notes=notes,
        )

    def _limits(self) -> list[str]:
        """Where the run left what the table or the box tell, as sentences."""
        said, table, shortest = [], self.sampler.table, self.histograms.shortest
        if shortest < table.r_min:
            said.append(
                f"state {self.state.name!r} met a distance of {shortest:.4g} nm, below the table's first knot at "
                f"{table.r_min:.4g} nm, where the potential is continued linearly"
            )
        said += [note for note in (self.histograms.note, self.sampler.temperature_fault()) if note]
        return said


def _judge(results: list[RdfResult], noise_target: float) -> tuple[float, bool]:
    """The largest mae_noise, NaN without any, and whether it is known to be small enough."""
    noise = max((result.mae_noise for result in results), default=np.nan)
    return noise, bool(noise <= noise_target) and all(result.known for result in results)


def _doubts(
    state: State, results: list[RdfResult], pressure: SeriesError | None, density: SeriesError, steps: int, frames: int
) -> list[str]:  # fmt: skip
    """What the run is too short to tell the errors of."""
    vague = [f"g of {'-'.join(result.pair)}" for result in results if not result.known]
    if pressure is not None and state.pressures and not pressure.known:
        vague.append("its pressure")
    if state.barostat is not None and not density.known:
        vague.append("its density")
    if not vague:
        return []
    independent = min((result.independent for result in results), default=float("nan"))
    worth = f" (its {frames} frames are worth {_rounded(independent)} independent ones)" if results else ""
    return [
        f"state {state.name!r} moves slowly: {steps} steps are too short to tell the noise of "
        f"{' and '.join(vague)}{worth}; a longer production tells"
    ]


def _rounded(independent: float) -> str:
    return f"{independent:.0f}" if independent >= 10 else f"{independent:.1g}"


def _vacf(sampler: Engine, target: VacfTarget, timestep: float) -> VacfResult:
    found = sample_vacf(sampler, len(target.t), target.stride(timestep), _VACF_STEPS)
    return VacfResult(target.t, found.value, target.c, found.error, float(np.abs(found.value - target.c).max()))


def _probe(sampler: Engine) -> tuple[PressureProbe | None, str]:
    """The state's pressure probe, or the reason why it has none."""
    system = sampler.context.getSystem()
    alike = platform_like(sampler.context)
    try:
        probe = PressureProbe(system, sampler.state.temperature, *alike, beside=sampler.context)
        now = sampler.snapshot()
        probe.pressures(now.positions[None], now.box[None])
    except openmm.OpenMMException as error:
        return None, str(error)
    return probe, ""


def _compare_density(state: State, target: DensityTarget, per_volume: float, spread: float) -> DensityResult:
    """per_volume: mean 1 / V, nm^-3, with the standard error `spread`."""
    amount = state.amount(target.unit)
    return DensityResult(target.value, amount * per_volume, amount * spread, target.unit)


def _compare(targets: list[PressureTarget], found: Pressure | None) -> list[PressureResult]:
    return [] if found is None else [PressureResult(target.value, found.value, found.error) for target in targets]
