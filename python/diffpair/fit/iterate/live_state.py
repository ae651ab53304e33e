"""One fitted state: where its simulations are, what it measures, what it remembers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from diffpair.engines import Frames, Snapshot
from diffpair.engines.engine import Engine, Progress
from diffpair.engines.equilibration import drifts, inefficiency
from diffpair.engines.phases import FRAMES, structure
from diffpair.fit.iterate.expansion import expansion
from diffpair.fit.iterate.theory import Theory
from diffpair.fit.iterate.virial import virial_row
from diffpair.fit.tasks.crew import Call
from diffpair.fit.tasks.remote import perform
from diffpair.fit.tasks.sample import Sample, spread, whole
from diffpair.fit.tasks.station import Station, rows_of
from diffpair.fit.tasks.task import Outcome, Recipe, Task, seed_of
from diffpair.gradients import Blocks, Fluctuation, FrameSums, remembered
from diffpair.tables import PairTable
from diffpair.targets.sampled import VISITED
from diffpair.updates import Memory, Observation, RdfView, StateView
from diffpair.updates.basis import spline_basis
from diffpair.updates.observations import KEPT

Array = NDArray[np.float64]
_AUDIT, _AFTER = 1, 2  # kinds of random numbers beside those of the iterations' own tasks


@dataclass(frozen=True)
class Known:
    """What a state knows of U. blocks: of the frames that the memory's observations were made of, newest last; fewer
    where a sampling had a single frame."""

    memory: Memory
    blocks: list[Blocks]

    @property
    def complete(self) -> bool:
        """Whether the frames of every observation are there."""
        return len(self.blocks) == len(self.memory.observations)


class LiveState:
    """A state that is fitted.

    Args:
        recipe: the state, with targets, and how it is run. index: its number among the fitted states, and variant that
        of its set of global parameters. seed: of the fit. memory: where it keeps what it has seen; an empty one by
        default. bonded_probe: of the bonded terms, see BondedColumns.

    Attributes:
        snapshots: where the next sampling begins, for each replica; None: the structure that the state was made of.
        table: of the last sampling. last: that sampling. friction: of the thermostat, 1/ps, where it is learned.
        samplings: what those of the last good tables have shown, with the Jacobian of fluctuations of each.
        warnings_before: of the last sampling of the run that this one resumes; None without any.
        steps_done, md_seconds: MD steps so far and the time that they took, in all processes.
    """

    def __init__(
        self, recipe: Recipe, index: int = 0, variant: int = 0, seed: int = 1, memory: Memory | None = None,
        bonded_probe: Array | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.index, self.variant, self._seed = recipe, index, variant, seed
        self.state, self.grid, self.sampling, self.table = recipe.state, recipe.grid, recipe.sampling, recipe.table
        state, grid, table = self.state, self.grid, self.table
        self.rows = rows_of(recipe)
        self.memory = memory or Memory()
        self.theory = Theory(self.rows, table.coefficients.size)
        self.last: Sample | None = None
        self.samplings: list[tuple[Observation, Blocks]] = []
        self.warnings_before: list[str] | None = None
        self.extended, self._fault = False, ""
        self.weights: Array = np.zeros(table.coefficients.shape)
        self.steps_done, self.md_seconds = 0, 0.0
        self.friction: float | None = None
        self.snapshots: list[Snapshot | None] = [None] * state.replicas
        self._left: list[Snapshot | None] = []
        self._whole: list[tuple[Frames, ...]] = []  # of the last sampling, for each replica
        if state.runs_itself:  # it goes on from where it is
            self.snapshots = [self.station.engine.snapshot()]
        width = grid.knots + 2
        probes = [np.zeros((0, table.coefficients.size))]
        rdf = self.rows.rdf
        for where, pair in zip(rdf.slices, rdf.pair_rows, strict=True):
            r, g = rdf.radii[where], rdf.target[where]
            visited = r[(g > VISITED) & (r < grid.cutoff)]
            probe = np.zeros((len(visited), table.coefficients.size))
            probe[:, pair * width : (pair + 1) * width] = spline_basis(grid, visited)
            probes.append(probe)
        self.probe: Array = np.concatenate(probes)
        self.pairs = self.probe.shape[1]  # columns; those of bonded terms follow
        if bonded_probe is not None:
            self.probe = block_diag(self.probe, bonded_probe)
        # where other forces keep particles apart the potential need not
        self.own_core = state.pairs_act
        # others may have further forces; and where a pressure is wanted or held, it may be negative
        guarded = state.on_lattice and not state.pressures and state.barostat is None
        self.virial = virial_row(self.rows, grid) if guarded and not state.bonded else None

    @cached_property
    def station(self) -> Station:
        """The state at work in this process."""
        return Station(self.recipe)

    def melting(self) -> list[Task]:
        """The tasks, one for each replica, that prepare a state on a lattice; none for others."""
        steps = self.sampling.melt if self.state.on_lattice else 0
        if not steps or None not in self.snapshots:
            return []
        return [self._task(0, replica, melt=steps) for replica in range(self.state.replicas)]

    def tasks(
        self, table: PairTable, iteration: int, factor: float = 1.0, may_repeat: bool = True, starts: int = 0
    ) -> list[Task]:
        """To sample a table with `factor` times the steps of the settings, one task for each replica.

        iteration: 1 or more; another one has other random numbers. may_repeat: where the potential energy drifts a
        second sampling follows, and what precedes equilibrium is dropped. starts: whole frames that segments want.
        """
        self.table = table
        every = self.sampling.every
        steps = self.sampling.steps if factor == 1 else max(2, round(factor * self.sampling.steps / every)) * every
        keep = spread(steps // every, starts)
        return [
            self._task(
                iteration, replica, equilibration=self.sampling.equilibration, steps=steps, every=every, keep=keep,
                may_repeat=may_repeat and self.sampling.adaptive,
            )
            for replica in range(self.state.replicas)
        ]  # fmt: skip

    def audit_task(self, frames: int, keep: NDArray[np.intp]) -> Task:
        """To sample so many frames with the present table in one replica, `keep` of them whole."""
        every, equilibration = self.sampling.every, self.sampling.equilibration
        return self._task(0, 0, _AUDIT, equilibration=equilibration, steps=frames * every, every=every, keep=keep)

    def engine(self, iteration: int) -> Engine:
        """Where the last sampling ended, with its table, in this process. Its steps do not count."""
        return self.station.begin(replace(self._task(iteration, 0, _AFTER), snapshot=self._left[0]))

    def _task(self, iteration: int, replica: int, kind: int = 0, **wanted: Any) -> Task:
        seed = seed_of(self._seed, self.index, iteration, replica, kind)
        begin, half_box = self.snapshots[replica], self.rows.rdf.half_box
        return Task(self.table, begin, seed, friction=self.friction, half_box=half_box, **wanted)

    def call(self, task: Task) -> Call[Outcome]:
        """A task of this state, for whoever does it."""
        return Call(
            self.state.name, lambda progress: self.station.perform(task, progress), perform,
            lambda: (self.recipe.packed, task), task.total,
        )  # fmt: skip

    def take(self, outcomes: list[Outcome]) -> None:
        """What the tasks of all replicas have found becomes the state's last sampling."""
        self._left = [outcome.snapshot for outcome in outcomes]
        self._whole = [() if outcome.sample is None else outcome.sample.kept for outcome in outcomes]
        found = Outcome.joined(outcomes)
        self.spent(found.steps, found.seconds)
        self.extended, self._fault = found.extended, found.fault
        self.rows.rdf.cut(found.half_box)
        if found.sample is not None:
            self.last = replace(found.sample, sums=self.rows.recut(found.sample.sums))
            self.weights = self.last.sums.splines.mean(0)[: self.pairs].reshape(self.weights.shape)

    def spent(self, steps: int, seconds: float) -> None:
        """So many MD steps count."""
        self.steps_done += steps
        self.md_seconds += seconds

    def accept(self) -> None:
        """The next sampling begins where the last one ended."""
        self.snapshots[: len(self._left)] = self._left

    def perform(self, tasks: list[Task], progress: Progress | None = None) -> None:
        """Do tasks in this process, if there are any, take and accept what they find. Raises Exploded."""
        if tasks:
            self.take([self.station.perform(task, progress) for task in tasks])
            self.accept()

    @property
    def has_sampled(self) -> bool:
        """Whether there has been a sampling, in this process or in one that it resumes."""
        return self.last is not None or self.warnings_before is not None

    @property
    def sampled(self) -> Sample:
        """The last sampling, where there has been one."""
        assert self.last is not None
        return self.last

    def independent(self, sums: FrameSums) -> float:
        """Number of independent frames: the smallest of those of the energy, of each target's first shell and of
        a target density."""
        assert self.last is not None
        shells = []
        rdf = self.rows.rdf
        for where in rdf.slices:
            first = int(np.argmax(rdf.target[where]))
            shells.append(sums.observables[:, where][:, max(first - 2, 0) : first + 3].sum(1))
        shells += list(sums.observables[:, len(self.rows) - len(self.rows.density) :].T)
        return min(len(s) / inefficiency(s) for s in (self.last.potential_energy, *shells))

    def faults(self) -> list[str]:
        """What makes the last sampling worth nothing, as sentences: its box has become that of a gas, or it runs at
        another temperature."""
        if self.last is None:
            return []
        found = [*(expansion(self.state, kept[-1].boxes[-1]) for kept in self._whole), self._fault]
        return [said for said in found if said]

    def warnings(self) -> list[str]:
        """What is unusual about the last sampling, as sentences; nothing if the state is a fluid in equilibrium."""
        if self.last is None or len(self.last) < 2:
            return [] if self.last is not None else list(self.warnings_before or [])
        said = [self.rows.rdf.note] if self.rows.rdf.note else []
        if drifts(self.last.potential_energy):
            said.append(f"state {self.state.name} still drifts: its potential energy has not reached equilibrium")
        said += self.faults()
        # a replica by itself: from one to the next all particles move
        phase = next((note for kept in self._whole if (note := structure(whole(kept, FRAMES)).note)), "")
        if phase:
            said.append(f"state {self.state.name} {phase}")
        return said

    def observe(self, sums: FrameSums, coefficients: Array, with_jacobian: bool = True) -> Observation:
        """Residual, its error and the Jacobian at a table [columns]."""
        sigma = self.rows.sigma(sums.standard_error())
        residual = sums.mean - self.rows.target
        if not with_jacobian:
            none = np.zeros((0, len(coefficients)))
            return Observation(coefficients, residual, sigma, none, none, sums.covariance(), len(sums.observables))
        jacobian = Fluctuation().jacobian(sums, self.state.beta)
        doubt = sums.jacobian_doubt(self.state.beta, sigma)
        return Observation(coefficients, residual, sigma, jacobian, doubt, sums.covariance(), len(sums.observables))

    def remember(self, observation: Observation, sums: FrameSums) -> None:
        """Keep what an iteration that is taken has found."""
        self.memory.add(observation)
        if self.pairs < len(observation.coefficients):
            self.memory.theory, self.memory.untold = self.theory.of(self.sampled, sums)
        if len(sums.observables) < 2:
            return
        if not (self.memory.has_jacobian and self.memory.of_fluctuations):
            observation = self.observe(sums, observation.coefficients)
        self.samplings = [*self.samplings[-(KEPT - 1) :], (observation, remembered(sums))]

    def known(self) -> Known | None:
        """The memory with the Jacobians of fluctuations: another one of the last samplings for a fit without those;
        None without frames.

        Jacobians of segments are good for steps. But they are off by a gain that is not the same in all directions,
        which makes those that g hardly answers to look far better known than they are.
        """
        if self.memory.has_jacobian and self.memory.of_fluctuations:
            return Known(self.memory, [blocks for _, blocks in self.samplings])
        if not self.samplings:
            return None
        observations, blocks = zip(*self.samplings, strict=True)
        return Known(Memory(list(observations)), list(blocks))

    def pressure_residual(self, residual: Array) -> dict[str, float]:
        """Pressure less its target in bar, by the state's name; empty without such a target."""
        if not len(self.rows.pressure):
            return {}
        return {self.state.name: float(residual[len(self.rows.rdf)]) * self.rows.pressure.ideal}

    def bonded_residuals(self, residual: Array) -> dict[str, float]:
        """integral |p - target| of the target distributions, by the names of state and term."""
        first, bonded = len(self.rows.rdf) + len(self.rows.pressure), self.rows.bonded
        found = zip(bonded.l1(residual[first : first + len(bonded)]), self.state.distributions, strict=True)
        return {f"{self.state.name} {target.coordinate.name} {'-'.join(target.kind)}": one for one, target in found}

    def view(
        self, gradient: Array | None = None, gradient_noise: Array | None = None, memory: Memory | None = None
    ) -> StateView:
        """What updates see; with dL/dc [npairs * (knots + 2)] and its noise for one that needs it. memory: another."""
        rows, rdf = self.rows, self.rows.rdf
        rdfs = tuple(
            RdfView(pair, where, rdf.radii[where], rdf.target[where], scale_error)
            for where, pair, scale_error in zip(rdf.slices, rdf.pair_rows, rdf.scale_errors, strict=True)
        )
        return StateView(
            memory or self.memory,
            self.variant,
            self.probe,
            1 / self.state.beta,
            self.weights,
            gradient,
            gradient_noise,
            rdfs,
            rows.error,
            self.virial,
            rows.floor,
            self._distributions(),
        )

    def _distributions(self) -> tuple[tuple[slice, Array], ...]:
        """Rows of bonded terms among those of the state, and their targets."""
        first, bonded = len(self.rows.rdf) + len(self.rows.pressure), self.rows.bonded
        return tuple((slice(first + w.start, first + w.stop), bonded.target[w]) for w in bonded.slices)
