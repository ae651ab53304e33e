"""The run with the final table: what `summary.json` reports. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.engines.engine import Engine
from diffpair.engines.frames import Frames, Snapshot
from diffpair.engines.results import Density, DensityResult, PressureResult, ProductionResult, RdfResult, VacfResult
from diffpair.engines.series_error import SHORTEST, SeriesError, series_error
from diffpair.engines.simulation_sampler import make_engine
from diffpair.engines.statistics import mean_absolute_noise
from diffpair.engines.vacf import sample_vacf
from diffpair.errors import DiffPairError
from diffpair.observables.pair_histogram import SLACK, PairCounts, count_types
from diffpair.observables.pressure import Pressure, PressureProbe
from diffpair.states.state import State, half_of_smallest
from diffpair.systems.platforms import platform_like
from diffpair.tables import PairTable
from diffpair.targets import DensityTarget, PressureTarget, RdfTarget, VacfTarget
from diffpair.targets.density_target import MASS
from diffpair.targets.rdf_target import MIN_POINTS

_ROUND = 20  # frames between reports of progress
_FIRST_LOOK, _NEXT_LOOK = 100, 1.05  # frames before the noise is looked at, and how many times as many the next time
_VACF_STEPS = 6000  # of a run of its own after the others
_PRESSURE_EVERY = 4  # frames: a pressure costs two energies and two neighbour lists

Progress = Callable[[int, float], None]  # steps just done, the present mae_noise (NaN while unknown)


class _Histograms:
    """Counts of all targets of a state, frame by frame. Targets with the same bins are counted in one pass.

    bins: per target, how many of its bins lie within half of every box so far, all of them without a barostat.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.counts: list[list[NDArray[np.float64]]] = [[] for _ in state.rdfs]
        self.ideal: list[list[NDArray[np.float64]]] = [[] for _ in state.rdfs]
        self.shortest = self.half_box = np.inf
        self.bins = [len(target.r) for target in state.rdfs]
        self.groups: dict[bytes, list[int]] = {}
        for index, target in enumerate(state.rdfs):
            self.groups.setdefault(target.edges.tobytes(), []).append(index)

    def add(self, frames: Frames) -> None:
        if self.state.barostat is not None:
            self._cut(half_of_smallest(frames.boxes))
        for indices in self.groups.values():
            for index, found in zip(indices, self._count(frames, indices), strict=True):
                self.counts[index].append(found.counts)
                self.ideal[index].append(found.ideal)
                self.shortest = min(self.shortest, found.shortest)

    def _cut(self, half_box: float) -> None:
        """Count up to half of the smallest box only. Raises DiffPairError where too little of a target is left."""
        self.half_box = min(self.half_box, half_box)
        for index, target in enumerate(self.state.rdfs):
            self.bins[index] = int(np.searchsorted(target.edges, SLACK * self.half_box, side="right")) - 1
            self.bins[index] = min(self.bins[index], len(target.r))
            if self.bins[index] < MIN_POINTS:
                raise DiffPairError(
                    f"{target.label}: half of the box that the barostat of state {self.state.name!r} reached is "
                    f"{self.half_box:.4g} nm, which leaves fewer than {MIN_POINTS} bins to compare: use more particles"
                )

    @property
    def note(self) -> str:
        """What was cut, for the user; empty where nothing was."""
        cut = [t for t, bins in zip(self.state.rdfs, self.bins, strict=True) if bins < len(t.r)]
        if not cut:
            return ""
        names = " and ".join(dict.fromkeys("-".join(target.pair) for target in cut))
        return (
            f"state {self.state.name!r}: half of the smallest box that its barostat reached is {self.half_box:.4g} nm: "
            f"g of {names} beyond was not compared"
        )

    def _count(self, frames: Frames, indices: list[int]) -> list[PairCounts]:
        state, targets = self.state, [self.state.rdfs[index] for index in indices]
        pairs = [state.pair_types(target.pair) for target in targets]
        return count_types(
            frames.positions, frames.boxes, state.types, state.exclusions, pairs,
            targets[0].edges[: self.bins[indices[0]] + 1],
            name=f"state {state.name!r}",
        )  # fmt: skip

    def results(self) -> list[RdfResult]:
        return [
            _compare_rdf(target, *(np.concatenate([part[:, :bins] for part in parts]) for parts in (counts, ideal)))
            for target, counts, ideal, bins in zip(self.state.rdfs, self.counts, self.ideal, self.bins, strict=True)
        ]


def _compare_rdf(target: RdfTarget, counts: NDArray[np.float64], ideal: NDArray[np.float64]) -> RdfResult:
    """counts: [F, bins] of the target's first bins. ideal: the same of an ideal gas in the frame's box."""
    bins, per_bin = counts.shape[1], ideal.mean(axis=0)
    r, wanted, g = target.r[:bins], target.g[:bins], counts.mean(axis=0) / per_bin
    # the ideal gas of the frame's volume is as many pairs more or less as the frame has by its volume alone
    found = series_error(counts - g * (ideal - per_bin))
    error = found.error / per_bin
    return RdfResult(
        target.pair, r, g, wanted, error, float(np.mean(np.abs(g - wanted))), mean_absolute_noise(error),
        target.scale_error, found.independent, found.known,
    )  # fmt: skip


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
    if start is not None:
        sampler.restore(start)
    else:
        sampler.begin_anew()
        if state.on_lattice:
            sampler.melt(melt)
    sampler.equilibrate(equilibration)

    histograms = _Histograms(state)
    probe, no_pressure = _probe(sampler)
    notes: list[str] = []
    pressures: list[NDArray[np.float64]] = []
    volumes: list[NDArray[np.float64]] = []
    stride = _PRESSURE_EVERY if not state.pressures and max_steps // every >= SHORTEST * _PRESSURE_EVERY else 1
    steps, frames_done, next_look, noise, enough = 0, 0, float(_FIRST_LOOK), np.nan, False
    while steps + every <= max_steps and not enough:
        count = min(_ROUND, (max_steps - steps) // every)
        for frames in sampler.stream(count * every, every):
            histograms.add(frames)
            volumes.append(np.abs(np.linalg.det(frames.boxes)))
            if probe is not None:
                chosen = slice(-frames_done % stride, None, stride)
                pressures.append(probe.pressures(frames.positions[chosen], frames.boxes[chosen]))
            frames_done += len(frames)
        steps += count * every
        if state.rdfs and frames_done >= next_look:
            next_look = _NEXT_LOOK * frames_done
            noise, enough = _judge(histograms.results(), noise_target)
        if progress is not None:
            progress(count * every, noise)

    vacfs = [_vacf(sampler, target, timestep) for target in state.vacfs]
    results, shortest = histograms.results(), histograms.shortest
    if shortest < table.r_min:
        notes.append(
            f"state {state.name!r} met a distance of {shortest:.4g} nm, below the table's first knot at "
            f"{table.r_min:.4g} nm, where the potential is continued linearly"
        )
    if histograms.note:
        notes.append(histograms.note)
    noise, converged = _judge(results, noise_target)
    pressure_series = series_error(np.concatenate(pressures)) if pressures else None
    density_series = series_error(1 / np.concatenate(volumes))
    notes += _doubts(state, results, pressure_series, density_series, steps, frames_done)
    if results and not converged and noise > noise_target:
        notes.append(
            f"state {state.name!r} ran its {steps} steps, but the noise of its mean |g - target| is still {noise:.2g} "
            f"(wanted: {noise_target:g})"
        )
    pressure = None
    if pressure_series is not None:
        pressure = Pressure(float(np.mean(np.concatenate(pressures))), float(pressure_series.error))
    per_volume = float(np.mean(1 / np.concatenate(volumes)))  # nm^-3
    spread = float(density_series.error)
    mass = state.amount(MASS)
    return ProductionResult(
        state=state.name,
        held_out=state.held_out,
        targets=[
            *results,
            *_compare(state.pressures, pressure),
            *(_compare_density(state, target, per_volume, spread) for target in state.densities),
            *vacfs,
        ],
        pressure=pressure,
        density=Density(mass * per_volume, mass * spread),
        steps=steps,
        converged=converged,
        shortest=float(shortest),
        last=sampler.snapshot(),
        no_pressure=no_pressure,
        notes=notes,
    )


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
