"""The loop: sample, measure, judge, update, write back; and what happens when it goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from diffpair.engines import Exploded
from diffpair.engines.statistics import mean_absolute_noise
from diffpair.errors import DiffPairError
from diffpair.fit.iterate.effort import Effort
from diffpair.fit.iterate.friction import FrictionFit, TableDoubt
from diffpair.fit.iterate.guard import attractive_core
from diffpair.fit.iterate.learner import Learned, Learner
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.iterate.trust import GOOD, POOR, reduction_ratio
from diffpair.fit.judge.numbers_off import numbers_off
from diffpair.fit.judge.steady_noise import steady_noise
from diffpair.fit.judge.stopping import Stopping
from diffpair.fit.judge.uncertainty import model_of, uncertainty
from diffpair.fit.record.iteration import Iteration, accepted, best_of, failures
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.tasks.crew import Crew, Serial
from diffpair.fit.tasks.sample import Sample
from diffpair.fit.tasks.task import Outcome, Task
from diffpair.tables import PairTable, TableUncertainty
from diffpair.updates import ParameterSpace, Step, Update
from diffpair.updates.linear_model import Start

# An iteration is rolled back whose residual is WORSE times the best one and CLEARLY times its noise above that: not by
# chance, then, and further from the target than a step within the trust radius should lead.
WORSE, CLEARLY = 1.5, 3.0
CUT = 0.25  # of the radius after that: half would be tried again from the same place with nearly the same result
FAILURES = 5  # in a row, then the fit stops: by then the radius is a thousandth
LATE = 4  # the iterates of the last 1/4 of a fit are averaged, where an update wants that: earlier ones still descend


class FitStopped(DiffPairError):
    """The fit had to stop; the best potential so far was kept."""


class FitLoop:
    """Fits one potential to one or several states.

    Args:
        space: the potential's parameters. states: fitted states. update: any. learner: what it needs beside g(r).
            iterations: how many. progress: what the user sees. keep: called after every iteration, to write
            checkpoints. stopping: may end the fit early. adaptive: samplings that grow as the residual falls. crew: who
            samples; this process by default.
    """

    def __init__(
        self,
        space: ParameterSpace,
        states: list[LiveState],
        update: Update,
        learner: Learner,
        iterations: int,
        progress: FitProgress,
        keep: Callable[[FitLoop], None],
        stopping: Stopping | None = None,
        adaptive: bool = False,
        crew: Crew | None = None,
    ) -> None:
        self.space, self.states, self.update, self.learner = space, states, update, learner
        self.iterations, self.progress, self.keep = iterations, progress, keep
        self.stopping, self.stopped, self.crew = stopping, "", crew or Serial()
        self.asked = ""  # why, where someone has asked to stop
        self.effort = Effort(iterations, adaptive)
        self.history: list[Iteration] = []
        self.placed = False  # the states are where an accepted iteration has left them
        self.begun = False  # what comes before the first iteration is done
        self.afterwards = 0  # MD steps of production, at most
        # of the runs that this one resumes
        self.steps_before, self.seconds_before, self.md_seconds_before = 0, 0.0, 0.0
        self._start = Start.of(space)
        self.friction: FrictionFit | None = None  # where it is learned
        self._begin = time.perf_counter()

    @property
    def best(self) -> Iteration | None:
        """The best iteration so far."""
        return best_of(self.history)

    @property
    def independent(self) -> dict[str, float]:
        """Number of independent frames of the last sampling, per state."""
        return self.history[-1].independent if self.history else {}

    @property
    def md_steps(self) -> int:
        """Melting, equilibration and sampling so far."""
        return self.steps_before + sum(s.steps_done for s in self.states)

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return self.seconds_before + time.perf_counter() - self._begin

    @property
    def md_seconds(self) -> float:
        """The part of `seconds` in which OpenMM took steps."""
        return self.md_seconds_before + sum(s.md_seconds for s in self.states)

    @property
    def seconds_left(self) -> float:
        """What the rest takes at most, production included, at the speed of this run so far; NaN before that is known.

        A fit may end after fewer iterations, and production before its last step.
        """
        sampling = equilibration = 0
        if not (self.stopped or self._ended()):
            for live in self.states:
                sampling += live.state.replicas * live.sampling.steps
                equilibration += live.state.replicas * live.sampling.equilibration
        steps = self.effort.left * sampling + (self.iterations - len(self.history)) * equilibration + self.afterwards
        done = self.md_steps - self.steps_before
        return steps * (self.seconds - self.seconds_before) / done if done else float("nan")

    def warnings(self) -> list[str]:
        """What is unusual about the last samplings of the states."""
        return [note for live in self.states for note in live.warnings()]

    def tables(self) -> list[PairTable]:
        """The present table of each variant."""
        return [self.space.table(v) for v in self.space.variants]

    def melt(self) -> None:
        """Prepare states that start from a lattice. Raises FitStopped if one explodes."""
        tasks = [live.melting() for live in self.states]
        if not any(tasks):
            return
        melted = [live for live, own in zip(self.states, tasks, strict=True) if own]
        named = melted[0].state.name if len(melted) == 1 else f"{len(melted)} states"
        try:
            self._perform(tasks, f"melting {named}")
        except Exploded as error:
            raise FitStopped(f"the fit did not get beyond its start: {error}") from None
        for live in melted:
            live.accept()

    def _perform(self, tasks: list[list[Task]], what: str) -> None:
        """Have the tasks of all states done, and the states take what they find. Raises Exploded."""
        mine = [(live, task) for live, own in zip(self.states, tasks, strict=True) for task in own]
        self.progress.begin(what, sum(task.total for _, task in mine))
        found = self.crew.run([live.call(task) for live, task in mine], self.progress.advance)
        exploded = [one for one in found if isinstance(one, Exploded)]
        if exploded:
            for (live, _), one in zip(mine, found, strict=True):
                live.spent(one.steps, one.seconds)  # they were paid for
            raise exploded[0]
        outcomes = iter([one for one in found if isinstance(one, Outcome)])
        for live, own in zip(self.states, tasks, strict=True):
            if own:
                live.take([next(outcomes) for _ in own])

    def run(self) -> None:
        """All iterations. Raises FitStopped if it cannot go on; `best` then holds what is known."""
        self.stopped = self.stopped or self._ended()
        while not self.stopped and len(self.history) < self.iterations:
            self.iterate()

    def stop(self, reason: str) -> None:
        """No further iteration in `run`."""
        self.stopped = self.asked = reason

    def iterate(self) -> Iteration:
        """One of them. Raises FitStopped."""
        number = len(self.history) + 1
        try:
            entry = self._attempt(number)
            self.progress.seconds_left = self.seconds_left
            self.progress.iteration(entry, self.iterations)
            self.keep(self)
        except FitStopped:
            raise
        except DiffPairError as error:
            raise FitStopped(f"the fit stopped in iteration {number}: {error}") from None
        if (failed := failures(self.history)) >= FAILURES:
            raise FitStopped(f"the fit stopped after {failed} failures in a row, the last one: {entry.note}")
        self.stopped = self.stopped or self._ended()
        if self.stopped:
            self.progress.say(f"stopped after {number} iterations: {self.stopped}")
        return entry

    def _ended(self) -> str:
        """Why there should be no further iteration; empty if there should."""
        done = len(self.history)
        settled = self.friction is None or self.friction.settled
        if done and settled and self.stopping is not None and (reason := self.stopping.reason(self.history)):
            return reason
        if self.effort.exhausted and done < self.iterations:
            return self.effort.reason()
        return ""

    def _attempt(self, number: int) -> Iteration:
        entry = Iteration(number, theta=self.space.get(), independent=self.independent)
        try:
            self._iterate(entry)
        except Exploded as error:
            entry.mae = entry.noise = float("nan")
            self._recover(entry, str(error))
        return entry

    def _iterate(self, entry: Iteration) -> None:
        """Sample, judge and step; the entry is filled in, and taken up into the history once its fate is known."""
        best, tables = self.best, self.tables()
        if best is not None:
            for live in self.states:
                fault = attractive_core(tables[live.variant], self.space.contact, 1 / live.state.beta)
                if fault and not live.own_core:
                    return self._recover(entry, f"{fault}; it was not run")
        sampled, learned = self._sample(entry.number, tables)
        observations = [found.observation for found in learned]
        self._describe(entry, learned)
        if not np.isfinite(entry.mae):
            return self._recover(entry, "g(r) is not finite")
        if best is not None and entry.mae > WORSE * best.mae + CLEARLY * steady_noise(entry.noise, self.history):
            for live, observation in zip(self.states, observations, strict=True):
                live.memory.learn(observation)
            return self._recover(entry, f"worse than iteration {best.number}: rolled back")
        # it may explode, so before anything is taken
        off = max(entry.mae**2 - float(np.nan_to_num(entry.noise)) ** 2, 0.0) ** 0.5
        vacf = None
        if self.friction is not None:
            frames = {name: found.whole(self.friction.starts) for name, found in sampled.items()}
            vacf = self.friction.measure(frames, entry.number, off)
        ratio = reduction_ratio([s.memory for s in self.states], observations)
        for live, found in zip(self.states, learned, strict=True):
            live.remember(found.observation, found.sums)
        entry.off = max(numbers_off(live.memory, live.rows) for live in self.states)
        if self.friction is not None and vacf is not None:
            self.friction.step(vacf, self._table_doubt())
        entry.accepted = True
        self.history.append(entry)  # before the step: what was sampled counts also where that fails
        self.placed = True
        for live in self.states:
            live.accept()
        self._adjust(ratio)
        self.effort.plan(entry.mae, entry.noise)
        note = self.learner.gradient.told()
        done = self.learner.step(self.update, self.space, self.states, learned, entry.noise)
        entry.updates, entry.effective = done.updates, done.effective
        entry.ratio = float("nan") if ratio is None else ratio
        self._close(entry, done.step, note)

    def _sample(self, number: int, tables: list[PairTable]) -> tuple[dict[str, Sample], list[Learned]]:
        """Every state with its table: its sampling by its name, and what that has shown."""
        sampled, learned, effort = {}, [], self.effort
        starts = max(self.learner.gradient.starts, 0 if self.friction is None else self.friction.starts)
        self.learner.begin(number)
        tasks = [s.tasks(tables[s.variant], number, effort.factor, effort.may_repeat, starts) for s in self.states]
        self._perform(tasks, f"iteration {number}/{self.iterations}")
        for live in self.states:
            sampled[live.state.name] = live.sampled
            learned.append(self.learner.learn(live, live.sampled, self.update.needs))
        effort.spent(any(s.extended for s in self.states))
        return sampled, learned

    def _describe(self, entry: Iteration, learned: list[Learned]) -> None:
        """What the samplings say, in numbers."""
        residuals, errors = [], []
        for live, found in zip(self.states, learned, strict=True):
            compared = np.flatnonzero(live.rows.rdf.compared)
            residuals.append(found.observation.residual[compared])
            errors.append(found.sums.standard_error()[compared])
            entry.pressure |= live.pressure_residual(found.observation.residual)
            entry.bonded |= live.bonded_residuals(found.observation.residual)
        entry.independent = {s.state.name: s.independent(f.sums) for s, f in zip(self.states, learned, strict=True)}
        entry.note = "; ".join(said for live in self.states for said in live.faults())
        entry.mae = float(np.mean(np.abs(np.concatenate(residuals))))
        entry.noise = mean_absolute_noise(np.concatenate(errors))

    def _adjust(self, ratio: float | None) -> None:
        """The trust radius after a step that was accepted."""
        if ratio is not None and ratio < POOR:
            self.update.shrink()
        elif ratio is None or ratio > GOOD:
            self.update.grow()

    def _recover(self, entry: Iteration, reason: str) -> None:
        """Back to the last good potential, and a smaller step from there; simulations go on from where it left them."""
        best = self.best
        if best is None:
            raise FitStopped(f"the fit did not get beyond its start: {reason}")
        self.space.set(best.theta)
        self.update.shrink(CUT)
        step = None
        if self.update.needs == "jacobian":
            step = self.update.step(self.space, [s.view() for s in self.states])
        self._close(entry, step, reason)
        self.history.append(entry)

    def _close(self, entry: Iteration, step: Step | None, note: str) -> None:
        """The step, if there was one, and what the iteration has cost."""
        if step is not None:
            entry.step, entry.chi = step.size, step.chi
            entry.significance, entry.pooled_noise = step.significance, step.pooled_noise
            note = "; ".join(text for text in (note, step.note) if text)
        entry.note = "; ".join(text for text in (entry.note, note) if text)
        entry.md_steps, entry.seconds = self.md_steps, self.seconds

    def finish(self) -> None:
        """Choose the final parameters.

        The last step; the mean of the late iterates for an update that wants it; the best iterate where the last one
        was rolled back.
        """
        if not self.history:  # stopped before the first iteration
            return
        if not self.history[-1].accepted and self.best is not None:
            self.space.set(self.best.theta)
        elif self.update.averages_late:
            late = accepted(self.history)[-max(1, self.iterations // LATE) :]
            self.space.set(np.mean([entry.theta for entry in late], axis=0))
        if self.friction is not None and all(s.has_sampled for s in self.states):
            self.friction.conclude([table.coefficients.ravel() for table in self.tables()], self._table_doubt())

    def bands(self) -> list[TableUncertainty]:
        """Error bands of the present tables, one for each variant; none where no state has frames."""
        return uncertainty(self.space, self.states, self._start, *self.update.damping_and_smoothness)

    def _table_doubt(self) -> TableDoubt | None:
        """Of the present tables; None without frames."""
        made = model_of(self.space, self.states, self._start, *self.update.damping_and_smoothness)
        return TableDoubt(made[0].change()[1], made[0].posterior()[0]) if made else None
