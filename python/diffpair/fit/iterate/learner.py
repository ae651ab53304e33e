"""What an iteration learns from its frames beside g(r), and the step that it takes from there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.engines import Frames
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.iterate.reweighted import Walk, walk
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.fit.tasks.sample import Sample
from diffpair.gradients import FrameSums, GradientMethod, Reweighting, TargetRows, smooth_vectors
from diffpair.potentials import TableGrid
from diffpair.updates import Needs, Observation, ParameterSpace, Update

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """Of one state's sampling: its sums, what was observed, dL/dc where the update needs it (see StateView)."""

    sums: FrameSums
    observation: Observation
    gradient: Array | None = None
    gradient_noise: Array | None = None


class Learner(ABC):
    """The fit's gradient method at work. The loop samples and judges; a learner does the rest of an iteration.

    Args:
        gradient: any.
    """

    def __init__(self, gradient: GradientMethod) -> None:
        self.gradient = gradient

    def begin(self, iteration: int) -> None:
        """Before the first state is sampled."""
        self.gradient.begin(iteration)

    @abstractmethod
    def learn(self, live: LiveState, sample: Sample, needs: Needs) -> Learned:
        """From a sampling with the state's present table, for an update with these needs. The memory does not get the
        observation yet: the iteration may be rolled back."""

    def step(
        self, update: Update, space: ParameterSpace, states: list[LiveState], learned: list[Learned], noise: float
    ) -> Walk:
        """Move the parameters by what the states have learned. noise: mean |error of g| of the frames."""
        views = [s.view(found.gradient, found.gradient_noise) for s, found in zip(states, learned, strict=True)]
        return Walk(update.step(space, views))


class EquilibriumLearner(Learner):
    """What averages of the frames give: the Jacobian of their fluctuations, or dL/dc by any gradient method."""

    def learn(self, live: LiveState, sample: Sample, needs: Needs) -> Learned:
        sums, table = sample.sums, live.table.coefficients
        observation = live.observe(sums, live.table.columns, with_jacobian=needs == "jacobian")
        if needs != "gradient":
            return Learned(sums, observation)
        weights = torch.from_numpy(observation.residual / len(live.rows))
        gradient = self.gradient.with_noise(
            live.rows, torch.from_numpy(table.copy()), live.grid, sample.whole(self.gradient.starts), weights, sums
        )
        return Learned(sums, observation, *gradient)


class SegmentLearner(Learner):
    """The Jacobian of adjoint segments, which the states' memories keep and correct (see SegmentMemory)."""

    def __init__(self, gradient: WatchedAdjoint) -> None:
        super().__init__(gradient)
        self._adjoint = gradient

    def learn(self, live: LiveState, sample: Sample, needs: Needs) -> Learned:
        sums, table = sample.sums, live.table.coefficients
        observation = live.observe(sums, table.ravel(), with_jacobian=False)
        if np.isfinite(observation.residual).all():
            frames = sample.whole(self._adjoint.starts)
            live.memory.measure(StateSegments(self._adjoint, live.rows, live.grid, frames, table), observation)
        return Learned(sums, observation)


class StateSegments:
    """Segments of one state from its frames, as a memory asks for them (see `updates.Segments`).

    Args:
        table: that made the frames, [npairs, knots + 2] in kJ/mol.
    """

    def __init__(
        self, gradient: WatchedAdjoint, rows: TargetRows, grid: TableGrid, frames: Frames, table: Array
    ) -> None:
        self._gradient, self._rows = gradient, rows
        self._sampled = torch.from_numpy(table.copy()), grid, frames

    @property
    def steps(self) -> int:
        return self._gradient.method.steps

    def smooth_vectors(self, modes: int) -> Array:
        return smooth_vectors(self._rows, modes)

    def products(self, vectors: Array) -> Array:
        return self._gradient.products(self._rows, *self._sampled, vectors).products

    def correction(self, vector: Array) -> Array | None:
        return self._gradient.correction(self._rows, *self._sampled, vector)


class ReweightingLearner(Learner):
    """Several updates per sampling, whose gradients are those of the frames reweighted to the present table."""

    def __init__(self, gradient: Reweighting) -> None:
        super().__init__(gradient)
        self._reweighting = gradient

    def learn(self, live: LiveState, sample: Sample, needs: Needs) -> Learned:
        sums, table = sample.sums, live.table.coefficients.ravel()
        return Learned(sums, live.observe(sums, table, with_jacobian=False))

    def step(
        self, update: Update, space: ParameterSpace, states: list[LiveState], learned: list[Learned], noise: float
    ) -> Walk:
        return walk(self._reweighting, update, space, states, [found.sums for found in learned], noise)
