"""Production of all states with a learned potential, piece by piece, wherever the fit samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from diffpair.engines import Exploded, ProductionResult
from diffpair.engines.engine import Progress
from diffpair.engines.pieces import Bench, Found, Piece, Plan
from diffpair.engines.planned import plan_production
from diffpair.engines.production import Chain
from diffpair.errors import DiffPairError
from diffpair.fit.iterate.loop import FitLoop
from diffpair.fit.record.production import ProductionRecord
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.setup import Setup
from diffpair.fit.tasks.crew import Call, Crew, Serial
from diffpair.fit.tasks.remote import produce
from diffpair.fit.tasks.task import Packed
from diffpair.states import State


class Producing:
    """Runs every state, held-out ones too, with the present table and seeds of its own, each time it is called.

    What is known is written on the way. In a fit that is resumed the same calls find again what the first ones had
    found.

    Args:
        digest: of the fit, see `fingerprint`. out: folder of the fit, or None.
    """

    def __init__(self, setup: Setup, loop: FitLoop, progress: FitProgress, digest: str, out: Path | None) -> None:
        self._setup, self._loop, self._progress = setup, loop, progress
        settings = setup.settings
        given = [
            digest, len(loop.history), setup.space.get().tobytes(), settings.production.model_dump(),
            settings.sampling.model_dump(), self._friction,
        ]  # fmt: skip
        key = hashlib.sha256(repr(given).encode()).hexdigest()
        self._record, self._calls = ProductionRecord(out, key, progress.note), 0

    def __call__(self, anew: bool) -> list[ProductionResult]:
        """anew: from new initial structures, not from the fit's end. Raises Exploded: the first state that did."""
        number, self._calls = self._calls, self._calls + 1
        lines = [_Line(plan) for plan in self._plans(anew)]
        for line, kept in zip(lines, self._record.attempt(number) or [], strict=False):
            line.restore(kept)
        crew = self._loop.crew

        def keep(now: bool = False) -> None:
            self._record.keep(number, lambda: [line.content() for line in lines], now)

        try:
            for together in [[line] for line in lines] if isinstance(crew, Serial) else [lines]:
                _advance(crew, self._progress, together, keep)
        except BaseException:  # Ctrl-C, too
            with suppress(DiffPairError):  # the first error says more
                keep(True)
            raise
        keep(True)
        for line in lines:
            if line.exploded is not None:
                raise line.exploded
        return [line.chain.result() for line in lines]

    def forget(self) -> None:
        """Production has been reported."""
        self._record.forget()

    @property
    def _friction(self) -> float:
        loop = self._loop
        return self._setup.settings.sampling.friction if loop.friction is None else loop.friction.friction

    def _plans(self, anew: bool) -> list[Plan]:
        ends = {} if anew else {live.state.name: live.snapshots[0] for live in self._loop.states}
        return [self._plan(index, state, ends.get(state.name)) for index, state in enumerate(self._setup.states)]

    def _plan(self, index: int, state: State, start: Any) -> Plan:
        settings, table = self._setup.settings, self._setup.space.table(state.parameters)
        seed = settings.seed + 50021 + index
        return plan_production(settings, state, table, seed, friction=self._friction, start=start)


class _Line:
    """A state on its way through production."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.chain = plan, Chain(plan)
        self.exploded: Exploded | None = None

    @cached_property
    def bench(self) -> Bench:
        """The plan at work in this process."""
        return Bench(self.plan)

    @cached_property
    def packed(self) -> Packed[Plan]:
        """For another process."""
        return Packed.of(self.plan)

    def next(self) -> Piece | None:
        """What is to be done; None where nothing is left."""
        return None if self.exploded is not None else self.chain.next()

    def call(self, piece: Piece) -> Call[Found]:
        """That piece, for whoever does it."""

        def here(progress: Progress | None) -> Found:
            return self.bench.perform(piece, progress)

        name, steps = self.plan.state.name, piece.frames * self.plan.every
        return Call(name, here, produce, lambda: (self.packed, piece), steps)

    def take(self, piece: Piece, found: Found | Exploded) -> None:
        """What it has found."""
        if isinstance(found, Exploded):
            self.exploded = found
        else:
            self.chain.take(piece, found)

    def content(self) -> dict[str, Any]:
        """All that `restore` needs, as arrays and plain values."""
        return {"exploded": str(self.exploded)} if self.exploded is not None else self.chain.content()

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
        if "exploded" in content:
            self.exploded = Exploded(content["exploded"])
        else:
            self.chain.restore(content)


def _advance(crew: Crew, progress: FitProgress, lines: list[_Line], keep: Callable[[], None]) -> None:
    """To the end of all of them, or to where they explode, a piece of each at a time."""
    named = lines[0].plan.state.name if len(lines) == 1 else f"of {len(lines)} states"
    progress.begin(f"production {named}", sum(line.plan.max_steps for line in lines))
    progress.advance(sum(line.chain.steps for line in lines))
    while waiting := [(line, piece) for line in lines if (piece := line.next()) is not None]:
        found = crew.run([line.call(piece) for line, piece in waiting], progress.advance)
        for (line, piece), one in zip(waiting, found, strict=True):
            line.take(piece, one)
        keep()
    for line in lines:
        line.__dict__.pop("bench", None)  # its simulation is needed no more
