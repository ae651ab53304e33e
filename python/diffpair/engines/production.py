"""The run with the final table: what `summary.json` reports. Needs no torch.

It is a chain of pieces (`engines/pieces.py`), so that it can be interrupted and go on with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.distributions import Distributions
from diffpair.engines.enough import Known, complaints, of_distribution, of_number, of_rdf, worst_noise
from diffpair.engines.frames import Snapshot
from diffpair.engines.histograms import Histograms
from diffpair.engines.pieces import Bench, Found, Piece, Plan, Seen
from diffpair.engines.results import (
    Density,
    DensityResult,
    DistributionResult,
    PressureResult,
    ProductionResult,
    RdfResult,
    VacfResult,
)
from diffpair.engines.series_error import SeriesError, series_error
from diffpair.engines.temperature import Kinetics
from diffpair.engines.vacf import SampledVacf
from diffpair.observables.pressure import Pressure
from diffpair.states.ideal_pressure import own_error
from diffpair.states.state import State
from diffpair.tables import PairTable
from diffpair.targets import DensityTarget, PressureTarget, VacfTarget
from diffpair.targets.density_target import MASS

# Frames before the noise is looked at; how many times as many the next time, and how many more at least: a piece ends
# there, and to begin one costs as much as some MD steps.
_FIRST_LOOK, _NEXT_LOOK, _LEAST = 100, 1.05, 40

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

    Args:
        state: what is simulated.
        table: the potential.
        timestep: ps.
        max_steps: largest number of steps.
        noise_target: the noise of the mean |g - target| that is small enough.
        every: steps between frames.
        seed: of this run; take another one than the fit's.
        equilibration: steps before the first frame.
        melt: steps from a lattice to a liquid, for a state on a lattice and without `start`.
        start: positions and velocities to begin from, for example the end of a sampling run.
        friction: 1/ps.
        platform: name of an OpenMM platform; by default CPU.
        command: what starts LAMMPS, to run the state there.
        progress: called with the steps just done and the present mae_noise after each round.

    Returns:
        What was found.

    Raises:
        Exploded: the simulation ran away.
        DiffPairError: state and table do not fit, or `max_steps` is too short.
    """
    plan = Plan(
        state, table, timestep, max_steps, noise_target, every, seed, equilibration, melt, start, friction, platform,
        command,
    )  # fmt: skip
    return run_plan(plan, progress)


def run_plan(plan: Plan, progress: Progress | None = None) -> ProductionResult:
    """The run that is planned, in this process; see `production`."""
    bench, chain = Bench(plan), Chain(plan)
    while (piece := chain.next()) is not None:
        chain.take(piece, bench.perform(piece))
        if progress is not None and piece.frames:
            progress(piece.frames * plan.every, chain.noise)
    return chain.result()


class Chain:
    """The pieces of a production run, one after another, and what they have shown together.

    Attributes:
        steps: sampled so far. noise: the present mae_noise.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.steps, self.noise = plan, 0, float("nan")
        self._number, self._snapshot, self._enough = 0, plan.start, False
        self._seen: list[Seen] = []
        self._vacfs: list[SampledVacf] = []
        self._measured = _Measured(plan.state)

    def next(self) -> Piece | None:
        """What is to be done now; None at the end."""
        plan, frames = self.plan, self._measured.frames
        # every piece has random numbers of its own
        seed = int(np.random.SeedSequence((plan.seed, self._number)).generate_state(1)[0] >> 1)
        if not self._number:
            return Piece("begin", self._snapshot, seed)
        left = (plan.max_steps - self.steps) // plan.every
        if left and not self._enough:
            more = max(_LEAST, round((_NEXT_LOOK - 1) * frames)) if frames else _FIRST_LOOK
            half_box = float(self._measured.histograms.half_box)
            return Piece("frames", self._snapshot, seed, min(more, left), frames, half_box)
        if len(self._vacfs) < len(plan.state.vacfs):
            return Piece("vacf", self._snapshot, seed, target=len(self._vacfs))
        return None

    def take(self, piece: Piece, found: Found) -> None:
        """What the last piece has found. Raises DiffPairError where too little of a target is left."""
        self._number += 1
        self._snapshot = found.snapshot
        self._measured.set_no_pressure(found.no_pressure)
        if found.seen is not None:
            self._seen.append(found.seen)
            self._measured.take(found.seen)
            self.steps += piece.frames * self.plan.every
            if self._measured.frames >= _FIRST_LOOK:
                self.noise, self._enough = self._measured.judge(self.plan.noise_target)
        if found.vacf is not None:
            self._vacfs.append(found.vacf)

    def content(self) -> dict[str, Any]:
        """All that `restore` needs, as arrays and plain values."""
        return {
            "number": self._number, "steps": self.steps, "noise": self.noise, "enough": self._enough,
            "snapshot": self._snapshot, "seen": self._seen, "vacfs": self._vacfs,
            "no_pressure": self._measured.no_pressure,
        }  # fmt: skip

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken, of which dataclasses have become dicts."""
        self._number, self.steps = content["number"], content["steps"]
        self.noise, self._enough = content["noise"], content["enough"]
        kept = content["snapshot"]
        self._snapshot = None if kept is None else Snapshot(**kept)
        self._measured.set_no_pressure(content["no_pressure"])
        for entry in content["seen"]:
            seen = Seen(**{**entry, "kinetics": Kinetics(**entry["kinetics"])})
            self._seen.append(seen)
            self._measured.take(seen)
        self._vacfs = [SampledVacf(**entry) for entry in content["vacfs"]]

    def result(self) -> ProductionResult:
        """What the whole run has shown."""
        plan = self.plan
        vacfs = [_compare_vacf(*both) for both in zip(plan.state.vacfs, self._vacfs, strict=True)]
        assert self._snapshot is not None
        return self._measured.result(plan, vacfs, self.steps, self._snapshot)


class _Measured:
    """What the frames of a run have shown."""

    def __init__(self, state: State) -> None:
        self.state, self.frames, self.no_pressure = state, 0, ""
        self.histograms, self.distributions = Histograms(state), Distributions(state)
        self._pressures: list[NDArray[np.float64]] = []
        self._volumes: list[NDArray[np.float64]] = []
        self._kinetics: list[Kinetics] = []
        self._pressure_errors = [own_error(state, target) for target in state.pressures]

    def set_no_pressure(self, reason: str) -> None:
        """Why the state has no pressure, or nothing."""
        self.no_pressure = reason
        if reason:
            self._pressure_errors = []

    def take(self, seen: Seen) -> None:
        """Count these, too."""
        self.histograms.take(seen.counts, seen.ideal, seen.shortest, seen.half_box)
        self.distributions.take(seen.fractions)
        self._volumes.append(seen.volumes)
        if not self.no_pressure:
            self._pressures.append(seen.pressures)
        self._kinetics.append(seen.kinetics)
        self.frames += len(seen.volumes)

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

    def result(self, plan: Plan, vacfs: list[VacfResult], steps: int, last: Snapshot) -> ProductionResult:
        """All averages with their errors, and what is to be said of them. last: where the run ended."""
        state, results, distributions = self.state, self.histograms.results(), self.distributions.results()
        known = self._known(results, distributions, plan.noise_target)
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
        notes = self._limits(plan) + _doubts(state, results, vague, steps, self.frames)
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
            last=last,
            no_pressure=self.no_pressure,
            notes=notes,
        )

    def _limits(self, plan: Plan) -> list[str]:
        """Where the run left what the table or the box tell, as sentences."""
        said, table, shortest = [], plan.table, self.histograms.shortest
        fault = Kinetics.joined(self._kinetics).fault(self.state.name, plan.timestep)
        if shortest < table.r_min:
            said.append(
                f"state {self.state.name!r} met a distance of {shortest:.4g} nm, below the table's first knot at "
                f"{table.r_min:.4g} nm, where the potential is continued linearly"
            )
        said += [note for note in (self.histograms.note, fault) if note]
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


def _compare_vacf(target: VacfTarget, found: SampledVacf) -> VacfResult:
    return VacfResult(target.t, found.value, target.c, found.error, float(np.abs(found.value - target.c).max()))


def _compare_density(state: State, target: DensityTarget, per_volume: float, spread: float) -> DensityResult:
    """per_volume: mean 1 / V, nm^-3, with the standard error `spread`."""
    amount = state.amount(target.unit)
    return DensityResult(target.value, amount * per_volume, amount * spread, target.unit)


def _compare(targets: list[PressureTarget], found: Pressure | None) -> list[PressureResult]:
    return [] if found is None else [PressureResult(target.value, found.value, found.error) for target in targets]
