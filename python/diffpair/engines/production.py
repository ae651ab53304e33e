"""The run with the final table: what `summary.json` reports. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.engines.frames import Frames, Snapshot
from diffpair.engines.sampler import Sampler, pick_platform
from diffpair.engines.statistics import BLOCKS, block_error, mean_absolute_noise
from diffpair.engines.vacf import sample_vacf
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import Pressure, PressureProbe
from diffpair.observables.rdf import count_pairs, pair_list
from diffpair.states.state import State
from diffpair.tables import PairTable
from diffpair.targets import PressureTarget, RdfTarget, VacfTarget

_ROUND = 20  # frames between looks at the noise
_VACF_STEPS = 6000  # of a run of its own after the others
_PRESSURE_EVERY = 4  # frames: a pressure costs two energies and two neighbour lists

Progress = Callable[[int, float], None]  # steps just done, the present mae_noise (NaN while unknown)


@dataclass(frozen=True)
class RdfResult:
    """One target against production.

    pair: type names. r: [nbins] bin centres, nm. g: [nbins] plain histogram. g_target: [nbins]. error: [nbins]
    standard error of g from blocks. mae: mean |g - g_target|. mae_noise: the part of it that the noise of g alone
    gives (`mean_absolute_noise`). scale_error: the target's.
    """

    pair: tuple[str, str]
    r: NDArray[np.float64]
    g: NDArray[np.float64]
    g_target: NDArray[np.float64]
    error: NDArray[np.float64]
    mae: float
    mae_noise: float
    scale_error: float = 0.0

    @property
    def misfit(self) -> float:
        """mae, or the one that is left after the target was scaled as its scale_error (up to three) admits."""
        if not self.scale_error:
            return self.mae
        best = float(self.g @ self.g_target) / max(float(self.g_target @ self.g_target), 1e-300)
        factor = 1 + np.clip(best - 1, -3 * self.scale_error, 3 * self.scale_error)
        return float(np.mean(np.abs(self.g - factor * self.g_target)))


@dataclass(frozen=True)
class PressureResult:
    """A target pressure against production: target, value and its standard error, bar."""

    target: float
    value: float
    error: float


@dataclass(frozen=True)
class VacfResult:
    """A target C(t) / C(0) against production: lags in ps, value, target and the value's standard error, [lags] each;
    the largest |value - target|."""

    t: NDArray[np.float64]
    c: NDArray[np.float64]
    c_target: NDArray[np.float64]
    error: NDArray[np.float64]
    max_deviation: float

    def figures(self) -> dict[str, float]:
        """What reports tell of it: the largest deviation, and the largest error."""
        return {"max_deviation": self.max_deviation, "error": float(self.error.max())}


@dataclass(frozen=True)
class ProductionResult:
    """What production found at one state.

    targets: one result per target whose property could be had, RDFs first.
    pressure: None where it could not be had, and then `no_pressure` says why. steps: sampled, without melting and
    equilibration. converged: every mae_noise reached its goal. shortest: the shortest pair distance met, nm. notes:
    sentences for the user.
    """

    state: str
    held_out: bool
    targets: list[RdfResult | PressureResult | VacfResult]
    pressure: Pressure | None
    steps: int
    converged: bool
    shortest: float
    last: Snapshot
    no_pressure: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def rdfs(self) -> list[RdfResult]:
        """The results of targets that are radial distribution functions."""
        return [target for target in self.targets if isinstance(target, RdfResult)]

    @property
    def pressures(self) -> list[PressureResult]:
        """The results of targets that are pressures."""
        return [target for target in self.targets if isinstance(target, PressureResult)]

    @property
    def vacfs(self) -> list[VacfResult]:
        """The results of targets that are velocity autocorrelations."""
        return [target for target in self.targets if isinstance(target, VacfResult)]


class _TargetHistogram:
    """Counts of one target, frame by frame."""

    def __init__(self, state: State, target: RdfTarget) -> None:
        self.target = target
        self.name = f"state {state.name!r}"
        self.pairs = pair_list(state.types, state.exclusions, state.pair_types(target.pair))
        self.counts: list[NDArray[np.float64]] = []
        self.ideal: list[NDArray[np.float64]] = []
        self.shortest = np.inf

    def add(self, frames: Frames) -> None:
        found = count_pairs(frames.positions, frames.boxes, self.pairs, self.target.edges, name=self.name)
        self.counts.append(found.counts)
        self.ideal.append(found.ideal)
        self.shortest = min(self.shortest, found.shortest)

    def result(self) -> RdfResult:
        counts, ideal = np.concatenate(self.counts), np.concatenate(self.ideal).mean(axis=0)
        g, error = counts.mean(axis=0) / ideal, block_error(counts) / ideal
        mae = float(np.mean(np.abs(g - self.target.g)))
        noise, scale_error = mean_absolute_noise(error), self.target.scale_error
        return RdfResult(self.target.pair, self.target.r, g, self.target.g, error, mae, noise, scale_error)


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

    Runs until `mae_noise` of every RDF is `noise_target` or less, or `max_steps`. A state without one runs
    `max_steps` for its pressure.

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
    if max_steps < BLOCKS * every:
        raise DiffPairError(
            f"production of {max_steps} steps with a frame every {every} is too short: error bars need {BLOCKS} frames"
        )
    sampler = Sampler(state, table, timestep=timestep, friction=friction, seed=seed, platform=platform)
    if start is not None:
        sampler.restore(start)
    elif state.from_lattice:
        sampler.melt(melt)
    sampler.equilibrate(equilibration)

    histograms = [_TargetHistogram(state, target) for target in state.rdfs]
    probe, no_pressure = _probe(sampler)
    notes: list[str] = []
    pressures: list[NDArray[np.float64]] = []
    stride = _PRESSURE_EVERY if not state.pressures and max_steps // every >= BLOCKS * _PRESSURE_EVERY else 1
    steps, frames_done, noise = 0, 0, np.nan
    while steps + every <= max_steps and not noise <= noise_target:
        count = min(_ROUND, (max_steps - steps) // every)
        frames = sampler.sample(count * every, every)
        steps += count * every
        for histogram in histograms:
            histogram.add(frames)
        if probe is not None:
            chosen = slice(-frames_done % stride, None, stride)
            pressures.append(probe.pressures(frames.positions[chosen], frames.boxes[chosen]))
        frames_done += count
        if histograms and frames_done >= BLOCKS * _ROUND // 2:
            noise = max(histogram.result().mae_noise for histogram in histograms)
        if progress is not None:
            progress(count * every, noise)

    vacfs = [_vacf(sampler, target, timestep) for target in state.vacfs]
    results = [histogram.result() for histogram in histograms]
    shortest = min((histogram.shortest for histogram in histograms), default=np.inf)
    if shortest < table.r_min:
        notes.append(
            f"state {state.name!r} met a distance of {shortest:.4g} nm, below the table's first knot at "
            f"{table.r_min:.4g} nm, where the potential is continued linearly"
        )
    noise = max((result.mae_noise for result in results), default=np.nan)
    converged = bool(noise <= noise_target)
    if results and not converged:
        notes.append(
            f"state {state.name!r} ran its {steps} steps, but the noise of its mean |g - target| is still {noise:.2g} "
            f"(wanted: {noise_target:g})"
        )
    pressure = _mean_pressure(pressures)
    return ProductionResult(
        state=state.name,
        held_out=state.held_out,
        targets=[*results, *_compare(state.pressures, pressure), *vacfs],
        pressure=pressure,
        steps=steps,
        converged=converged,
        shortest=float(shortest),
        last=sampler.snapshot(),
        no_pressure=no_pressure,
        notes=notes,
    )


def _vacf(sampler: Sampler, target: VacfTarget, timestep: float) -> VacfResult:
    c, error = sample_vacf(sampler, len(target.t), target.stride(timestep), _VACF_STEPS)
    return VacfResult(target.t, c, target.c, error, float(np.abs(c - target.c).max()))


def _probe(sampler: Sampler) -> tuple[PressureProbe | None, str]:
    """The state's pressure probe, or the reason why it has none."""
    system = sampler.context.getSystem()
    platform, properties = pick_platform(sampler.context.getPlatform().getName())
    try:
        probe = PressureProbe(system, sampler.state.temperature, platform, properties)
        now = sampler.snapshot()
        probe.pressures(now.positions[None], now.box[None])
    except openmm.OpenMMException as error:
        return None, str(error)
    return probe, ""


def _compare(targets: list[PressureTarget], found: Pressure | None) -> list[PressureResult]:
    return [] if found is None else [PressureResult(target.value, found.value, found.error) for target in targets]


def _mean_pressure(samples: list[NDArray[np.float64]]) -> Pressure | None:
    if not samples:
        return None
    values = np.concatenate(samples)
    return Pressure(float(np.mean(values)), float(block_error(values)))
