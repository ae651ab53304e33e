"""The task: (state, table, snapshot, seed, effort) -> (sums of the frames, new snapshot), and nothing else."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from diffpair.engines import Snapshot
from diffpair.fit.tasks.sample import Sample
from diffpair.potentials import TableGrid
from diffpair.settings.sampling import Sampling
from diffpair.states import State
from diffpair.tables import PairTable

T = TypeVar("T")


@dataclass(frozen=True)
class Recipe:
    """What a process needs to run a state: the same for all of its tasks.

    table: the first one, for the names of types and for bonded terms. grid: of all tables.
    """

    state: State
    grid: TableGrid
    table: PairTable
    sampling: Sampling

    @cached_property
    def packed(self) -> Packed[Recipe]:
        """For another process."""
        return Packed.of(self)


@dataclass(frozen=True)
class Packed(Generic[T]):
    """A recipe, or a plan of production, on its way to another process, which opens it only where it does not know it
    by its key."""

    content: bytes = field(repr=False)
    key: str

    @classmethod
    def of(cls, wanted: T) -> Packed[T]:
        """That one."""
        content = pickle.dumps(wanted)
        return cls(content, hashlib.sha256(content).hexdigest())

    def opened(self) -> T:
        """What it is."""
        found: T = pickle.loads(self.content)
        return found


@dataclass(frozen=True)
class Task:
    """What a state is to do; equal tasks of a recipe have equal outcomes, bit for bit, in whatever process they run (on
    the same platform with the same number of threads).

    table: to be sampled. snapshot: where to begin; None: the structure that the state was made of. seed: of all random
    numbers. melt, equilibration, steps, every: MD steps; a frame is taken after every `every`-th of `steps`, none where
    that is 0. keep: indices of frames that are kept whole, in order. may_repeat: a sampling that drifts is followed by
    another. friction: 1/ps, None for that of the settings. half_box: rows of g(r) beyond are left out, nm.
    """

    table: PairTable
    snapshot: Snapshot | None
    seed: int
    melt: int = 0
    equilibration: int = 0
    steps: int = 0
    every: int = 1
    keep: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    may_repeat: bool = False
    friction: float | None = None
    half_box: float = np.inf

    @property
    def total(self) -> int:
        """MD steps, if it is not repeated."""
        return self.melt + self.equilibration + self.steps


@dataclass(frozen=True)
class Outcome:
    """What a task has found.

    sample: None without frames. snapshot: where the simulation is now. fault: see Engine.temperature_fault. half_box:
    of the smallest box so far where a barostat moves it, nm. extended: whether the sampling was repeated. steps: MD
    steps that were done. seconds: that the simulation program needed for them.
    """

    sample: Sample | None
    snapshot: Snapshot
    fault: str
    half_box: float
    extended: bool
    steps: int
    seconds: float

    @classmethod
    def joined(cls, parts: list[Outcome]) -> Outcome:
        """Of replicas of a state, in their order; the snapshot is that of the first."""
        first = parts[0]
        samples = [part.sample for part in parts if part.sample is not None]
        return replace(
            first,
            sample=reduce(Sample.joined, samples) if samples else None,
            fault=next((part.fault for part in parts if part.fault), ""),
            half_box=min(part.half_box for part in parts),
            extended=any(part.extended for part in parts),
            steps=sum(part.steps for part in parts),
            seconds=sum(part.seconds for part in parts),
        )


def seed_of(*path: int) -> int:
    """A seed of its own for every path of numbers, such as (fit's seed, iteration, state, replica); 31 bits."""
    return int(np.random.SeedSequence(path).generate_state(1)[0] >> 1)
