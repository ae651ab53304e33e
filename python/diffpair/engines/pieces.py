"""Pieces of production: (plan, snapshot, seed, frames) -> (what the frames have shown, snapshot), and nothing else.

Any process can do a piece, and one that is lost is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.engines.distributions import Distributions
from diffpair.engines.engine import Engine
from diffpair.engines.engine import Progress as StepsDone
from diffpair.engines.frames import Snapshot
from diffpair.engines.histograms import Histograms
from diffpair.engines.make import make_engine
from diffpair.engines.series_error import SHORTEST
from diffpair.engines.temperature import Kinetics
from diffpair.engines.vacf import SampledVacf, sample_vacf
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import PressureProbe
from diffpair.states.state import State
from diffpair.tables import PairTable

Array = NDArray[np.float64]
_VACF_STEPS = 6000  # of a run of its own after the others
_PRESSURE_EVERY = 4  # frames: a pressure costs two energies and two neighbour lists


@dataclass(frozen=True)
class Plan:
    """A production run; see `production`. Raises DiffPairError where `max_steps` is too short."""

    state: State
    table: PairTable
    timestep: float
    max_steps: int
    noise_target: float = 0.002
    every: int = 10
    seed: int = 1
    equilibration: int = 2000
    melt: int = 2000
    start: Snapshot | None = None
    friction: float = 1.0
    platform: str | None = None
    command: str | None = None

    def __post_init__(self) -> None:
        if self.max_steps < SHORTEST * self.every:
            raise DiffPairError(
                f"production of {self.max_steps} steps with a frame every {self.every} is too short: error bars need "
                f"{SHORTEST} frames"
            )

    @property
    def stride(self) -> int:
        """Frames from one that a pressure is measured of to the next."""
        sparse = not self.state.pressures and self.max_steps // self.every >= SHORTEST * _PRESSURE_EVERY
        return _PRESSURE_EVERY if sparse else 1


@dataclass(frozen=True)
class Piece:
    """What is to be done.

    what: melting and equilibration, so many `frames`, or a velocity autocorrelation. snapshot: to begin from, None for
    the structure that the state was made of. seed: of all random numbers. done: frames before. half_box: g(r) beyond is
    not counted, nm. target: the number of the VACF among the state's.
    """

    what: Literal["begin", "frames", "vacf"]
    snapshot: Snapshot | None
    seed: int
    frames: int = 0
    done: int = 0
    half_box: float = np.inf
    target: int = 0


@dataclass(frozen=True)
class Seen:
    """What frames have shown: counts and those of an ideal gas [F, bins] of each g(r), parts of bins [F, bins] of each
    distribution, volumes [F] in nm^3, pressures [P] in bar; the shortest distance and half of the smallest box, nm."""

    counts: list[Array]
    ideal: list[Array]
    fractions: list[Array]
    volumes: Array
    pressures: Array
    shortest: float
    half_box: float
    kinetics: Kinetics


@dataclass(frozen=True)
class Found:
    """What a piece has found. no_pressure: why the state has no pressure, or nothing."""

    snapshot: Snapshot
    no_pressure: str
    seen: Seen | None = None
    vacf: SampledVacf | None = None


class Bench:
    """Does the pieces of a plan, with a simulation that stays alive.

    Raises DiffPairError: state and table do not fit.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.engine: Engine = make_engine(
            plan.state, plan.table, timestep=plan.timestep, friction=plan.friction, seed=plan.seed,
            platform=plan.platform, command=plan.command,
        )  # fmt: skip
        self._probe, self._no_pressure = (None, "") if self.engine.tells_pressure else _probe(self.engine)

    def perform(self, piece: Piece, progress: StepsDone | None = None) -> Found:
        """Raises Exploded."""
        plan, engine = self.plan, self.engine
        engine.begin(piece.snapshot, piece.seed)
        seen, vacf = None, None
        if piece.what == "begin":
            if piece.snapshot is None and plan.state.on_lattice:
                engine.melt(plan.melt, progress)
            engine.equilibrate(plan.equilibration, progress)
        elif piece.what == "frames":
            seen = self._frames(piece, progress)
        else:
            target = plan.state.vacfs[piece.target]
            vacf = sample_vacf(engine, len(target.t), target.stride(plan.timestep), _VACF_STEPS, progress)
        return Found(engine.snapshot(), self._no_pressure, seen, vacf)

    def _frames(self, piece: Piece, progress: StepsDone | None) -> Seen:
        plan, done = self.plan, piece.done
        histograms, distributions = Histograms(plan.state), Distributions(plan.state)
        histograms.cut(piece.half_box)
        if self._probe is not None:
            self._probe.begin()
        self.engine.count_anew()
        volumes, pressures = [], [np.zeros(0)]
        for frames in self.engine.stream(piece.frames * plan.every, plan.every, progress):
            histograms.add(frames)
            distributions.add(frames)
            volumes.append(np.abs(np.linalg.det(frames.boxes)))
            chosen = slice(-done % plan.stride, None, plan.stride)
            if self._probe is not None:
                pressures.append(self._probe.pressures(frames.positions[chosen], frames.boxes[chosen]))
            elif not self._no_pressure:
                pressures.append(frames.pressure[chosen])
            done += len(frames)
        return Seen(
            *histograms.found(), distributions.found(), np.concatenate(volumes), np.concatenate(pressures),
            float(histograms.shortest), float(histograms.half_box), self.engine.kinetics,
        )  # fmt: skip


def _probe(engine: Engine) -> tuple[PressureProbe | None, str]:
    """The state's pressure probe, or the reason why it has none."""
    try:
        probe = engine.pressure_probe()
        now = engine.snapshot()
        probe.pressures(now.positions[None], now.box[None])
    except openmm.OpenMMException as error:
        return None, str(error)
    return probe, ""
