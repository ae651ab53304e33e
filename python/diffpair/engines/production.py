"""The run with the final table: what `summary.json` reports. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.engines.distributions import Distributions
from diffpair.engines.engine import Engine
from diffpair.engines.enough import Known, complaints, of_distribution, of_number, of_rdf, worst_noise
from diffpair.engines.frames import Frames, Snapshot
from diffpair.engines.histograms import Histograms
from diffpair.engines.make import make_engine
from diffpair.engines.results import (
    Density,
    DensityResult,
    DistributionResult,
    PressureResult,
    ProductionResult,
    RdfResult,
    VacfResult,
)
from diffpair.engines.series_error import SHORTEST, SeriesError, series_error
from diffpair.engines.vacf import sample_vacf
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import Pressure, PressureProbe
from diffpair.states.ideal_pressure import own_error
from diffpair.states.state import State
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
    command: str | None = None,
    progress: Progress | None = None,
) -> ProductionResult:
    """Simulate a state until the noise of what it is compared with is small.

    Runs until `mae_noise` of every RDF is known and `noise_target` or less, `l1_noise` of every distribution is five
    times that or less, and a pressure and a density that are targets are known to their own errors (`own_error`), or
    `max_steps`. A state without any of these runs `max_steps`.

    Parameters
    ----------
    timestep: ps. friction: 1/ps. every: steps between frames. seed: of this run; take another one than the fit's.
    equilibration, melt: steps before; `melt` only for a state on a lattice and without `start`.
    start: positions and velocities to begin from, for example the end of a sampling run.
    platform: of OpenMM. command: that starts LAMMPS, to run the state there.
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
    sampler = make_engine(
        state, table, timestep=timestep, friction=friction, seed=seed, platform=platform, command=command
    )
    sampler.begin(start, seed)
    if start is None and state.on_lattice:
        sampler.melt(melt)
    sampler.equilibrate(equilibration)
    stride = _PRESSURE_EVERY if not state.pressures and max_steps // every >= SHORTEST * _PRESSURE_EVERY else 1
    measured = _Measured(sampler, stride)
    steps = _run(measured, max_steps, noise_target, every, progress)
    vacfs = [_vacf(sampler, target, timestep) for target in state.vacfs]
    return measured.result(vacfs, steps, noise_target)


def _run(measured: _Measured, max_steps: int, noise_target: float, every: int, progress: Progress | None) -> int:
    """Sample until the noise is known to be small enough. Returns the number of steps."""
    steps, next_look, noise, enough = 0, float(_FIRST_LOOK), np.nan, False
    while steps + every <= max_steps and not enough:
        count = min(_ROUND, (max_steps - steps) // every)
        for frames in measured.sampler.stream(count * every, every):
            measured.add(frames)
        steps += count * every
        if measured.frames >= next_look:
            next_look = _NEXT_LOOK * measured.frames
            noise, enough = measured.judge(noise_target)
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
        self.probe, self.no_pressure = (None, "") if sampler.tells_pressure else _probe(sampler)
        self.frames = 0
        self._pressures: list[NDArray[np.float64]] = []
        self._volumes: list[NDArray[np.float64]] = []
        measured = [] if self.no_pressure else self.state.pressures
        self._pressure_errors = [own_error(self.state, target) for target in measured]

    def add(self, frames: Frames) -> None:
        """Count these, too."""
        self.histograms.add(frames)
        self.distributions.add(frames)
        self._volumes.append(np.abs(np.linalg.det(frames.boxes)))
        chosen = slice(-self.frames % self.stride, None, self.stride)
        if self.probe is not None:
            self._pressures.append(self.probe.pressures(frames.positions[chosen], frames.boxes[chosen]))
        elif not self.no_pressure:
            self._pressures.append(frames.pressure[chosen])
        self.frames += len(frames)

    def judge(self, noise_target: float) -> tuple[float, bool]:
        """The largest mae_noise, NaN without any, and whether all that targets are compared with is known well enough;
        it is not where there is nothing of the kind."""
        rdfs = self.histograms.results()
        found = self._known(rdfs, self.distributions.results(), noise_target)
        return worst_noise(rdfs), bool(found) and all(one.enough for one in found)

    def _known(
        self, rdfs: list[RdfResult], distributions: list[DistributionResult], noise_target: float
    ) -> list[Known]:
        """Of each target."""
        found = [of_rdf(one, noise_target) for one in rdfs]
        found += [of_distribution(one, noise_target) for one in distributions]
        if self._pressure_errors:
            series = self._pressure_series()
            for wanted in self._pressure_errors:
                found.append(of_number("its pressure", "bar", float(series.error), wanted, series.known))
        if self.state.densities:
            series = self._density_series()
            for target in self.state.densities:
                error = self.state.amount(target.unit) * float(series.error)
                found.append(of_number("its density", target.unit, error, target.own_error, series.known))
        return found

    def _pressure_series(self) -> SeriesError:
        return series_error(np.concatenate(self._pressures))

    def _density_series(self) -> SeriesError:
        """Of 1 / V, nm^-3."""
        return series_error(1 / np.concatenate(self._volumes))

    def result(self, vacfs: list[VacfResult], steps: int, noise_target: float) -> ProductionResult:
        """All averages with their errors, and what is to be said of them."""
        state, results, distributions = self.state, self.histograms.results(), self.distributions.results()
        known = self._known(results, distributions, noise_target)
        pressure = None
        if self._pressures:
            mean = float(np.mean(np.concatenate(self._pressures)))
            pressure = Pressure(mean, float(self._pressure_series().error))
        density_series = self._density_series()
        per_volume = float(np.mean(1 / np.concatenate(self._volumes)))  # nm^-3
        spread = float(density_series.error)
        mass = state.amount(MASS)
        vague = [one.name for one in known if not one.certain]
        if state.barostat is not None and not state.densities and not density_series.known:
            vague.append("its density")
        notes = self._limits() + _doubts(state, results, vague, steps, self.frames)
        if said := complaints(known):
            notes.append(f"state {state.name!r} ran its {steps} steps, but {said}")
        return ProductionResult(
            state=state.name,
            held_out=state.held_out,
            targets=[
                *results,
                *_compare(state.pressures, pressure),
                *(_compare_density(state, target, per_volume, spread) for target in state.densities),
                *vacfs,
                *distributions,
            ],
            pressure=pressure,
            density=Density(mass * per_volume, mass * spread),
            steps=steps,
            converged=bool(known) and all(one.enough for one in known),
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


def _doubts(state: State, results: list[RdfResult], vague: list[str], steps: int, frames: int) -> list[str]:
    """What the run is too short to tell the errors of, as a sentence."""
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
    try:
        probe = sampler.pressure_probe()
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
