"""A state at work in one process: its live simulation, and what it measures of the frames."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.engines import Exploded, Frames
from diffpair.engines.engine import Engine, Progress
from diffpair.engines.equilibration import drifts, equilibrated_from
from diffpair.engines.fastest import platform_of
from diffpair.engines.make import make_engine
from diffpair.fit.tasks.sample import Sample
from diffpair.fit.tasks.task import Outcome, Recipe, Task
from diffpair.gradients import Fluctuation, FrameSums, TargetRows, pick_device
from diffpair.join import timestep_of

Array = NDArray[np.float64]


class Station:
    """Does the tasks of a recipe, one after another.

    Between tasks the simulation stays alive, so that nothing has to be built again; no outcome depends on the tasks
    before (see Engine.begin).

    Raises
    ------
    DiffPairError: the state cannot run here.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.rows = rows_of(recipe)
        self.engine: Engine = make_engine(
            recipe.state,
            recipe.table,
            timestep=timestep_of(recipe.sampling, recipe.state),
            friction=recipe.sampling.friction,
            seed=1,  # every task has its own
            platform=platform_of(recipe.sampling.platform),
            further_virial=self.rows.pressure.molecular and len(self.rows.pressure) > 0,
            command=recipe.sampling.lammps,
        )

    def perform(self, task: Task, progress: Progress | None = None) -> Outcome:
        """Do a task. Raises Exploded, with the attributes `steps` and `seconds` of an Outcome; DiffPairError."""
        seconds = self.engine.md_seconds
        self.begin(task)
        before = self.engine.steps_done
        try:
            return self._perform(task, before, seconds, progress)
        except Exploded as error:
            error.steps, error.seconds = self.engine.steps_done - before, self.engine.md_seconds - seconds
            raise

    def begin(self, task: Task) -> Engine:
        """The engine where the task begins, with its table."""
        if self.rows.rdf.half_box != task.half_box:
            self.rows = rows_of(self.recipe)
            self.rows.rdf.cut(task.half_box)
        self.engine.begin(task.snapshot, task.seed)
        if task.friction is not None:
            self.engine.set_friction(task.friction)
        self.engine.set_table(task.table)
        return self.engine

    def _perform(self, task: Task, before: int, seconds: float, progress: Progress | None) -> Outcome:
        engine, sample, extended = self.engine, None, False
        if task.melt:
            engine.melt(task.melt, progress)
        engine.equilibrate(task.equilibration, progress)
        if task.steps:
            sample = self._sample(task, progress)
            extended = task.may_repeat and drifts(sample.potential_energy)
            if extended:
                sample = sample.joined(self._sample(task, progress))
                sample = sample.since(equilibrated_from(sample.potential_energy)[0])
        return Outcome(
            sample, engine.snapshot(), engine.temperature_fault(), self.rows.rdf.half_box, extended,
            engine.steps_done - before, engine.md_seconds - seconds,
        )  # fmt: skip

    def _sample(self, task: Task, progress: Progress | None) -> Sample:
        """With the atoms that have a type, which are those that the rows know."""
        state, rows = self.recipe.state, self.rows
        response, measured = np.zeros(rows.response.shape), 0
        sums, energies, kept, done = [], [], [], 0
        for piece in self.engine.stream(task.steps, task.every, progress):
            frames = piece if state.complete else piece.of_atoms(state.typed)
            sums.append(self._measure(frames))
            if rows.response.known:
                response += rows.molecular_response(frames)
                measured += len(frames)
            energies.append(frames.potential_energy)
            kept += [frames.at([k - done]) for k in task.keep if done <= k < done + len(frames)]
            done += len(frames)
        joined = rows.recut(FrameSums.joined(sums))
        return Sample(joined, np.concatenate(energies), tuple(kept), task.keep, response, measured)

    def _measure(self, frames: Frames) -> FrameSums:
        """A and S of frames, which the present table has made."""
        coefficients = torch.from_numpy(self.engine.table.coefficients.copy())
        return Fluctuation(single=True).sums(self.rows, coefficients, self.recipe.grid, frames)


def rows_of(recipe: Recipe) -> TargetRows:
    """The rows of a state, none of them cut."""
    learned = [term for term in recipe.table.bonded if not term.fixed]
    return TargetRows(recipe.state, pick_device(recipe.sampling.device), learned)
