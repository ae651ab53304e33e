"""A fit at work: how it begins or goes on from a checkpoint, what it writes on the way, how it is left in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from diffpair.engines import Exploded
from diffpair.errors import DiffPairError
from diffpair.fit.assemble import fit_states, make_loop
from diffpair.fit.conclude import Work, keep_best, leave_in_order, put_back
from diffpair.fit.iterate.auto_steps import choose_segments
from diffpair.fit.iterate.loop import FitLoop, FitStopped
from diffpair.fit.record.announce import announce
from diffpair.fit.record.checkpoint import BEFORE, CHECKPOINT, load_checkpoint, restore
from diffpair.fit.record.folder import make_folder, save_iteration, save_tables
from diffpair.fit.record.iteration import Iteration
from diffpair.fit.record.lock import Locks
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.record.provenance import Origin, files_of, fingerprint
from diffpair.fit.record.writing import at_start, mend, move_into, write_progress
from diffpair.fit.setup import Setup, prepare, where
from diffpair.fit.tasks.crew import Crew
from diffpair.settings.fit_settings import FitSettings
from diffpair.settings.gradient import Adjoint
from diffpair.states import State
from diffpair.tables import PairTable

_DRAWING = ("matplotlib", "jinja2")  # imported when the fit has ended
_INSTALL = "pip install 'diffpair[learn]'"


class Session:
    """What a fit is made of once it works: its setup, its loop, its folder and its locks.

    Parameters
    ----------
    settings: those of the fit. states: which it samples. crew: who samples them. progress: what to report to.
        origin: the file that describes the fit, if one does. told: called with every finished iteration.
    """

    def __init__(
        self,
        settings: FitSettings,
        states: list[State],
        crew: Crew,
        progress: FitProgress,
        origin: Origin | None,
        told: Callable[[Iteration], None],
    ) -> None:
        self.settings, self.states, self.crew, self.progress = settings, states, crew, progress
        self.out: Path | None = None
        self.setup: Setup | None = None
        self.loop: FitLoop | None = None
        self.asked = ""  # to stop, and why, before there was a loop
        self.begun_well = False
        self._told = told
        self._digest = fingerprint(settings, states)
        self._origin = origin or Origin()
        self._start: PairTable | None = None
        self._took_over = False  # the users' Simulations
        self._folders: set[Path] = set()  # that hold the files of this fit
        self._locks = Locks()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Where it fails, users' Simulations are left in order. Raises DiffPairError for FitStopped."""
        for state in self.states:
            if state.simulation is not None:
                state.simulation.mark()
        with self.progress:
            try:
                yield
            except FitStopped as error:
                raise DiffPairError(keep_best(self.work, str(error))) from None
            except BaseException:
                # whatever it was: a file that cannot be written, a callback's own error, Ctrl-C
                if self.begun_well:
                    leave_in_order(self.work)
                elif self._took_over:
                    put_back(self.states)
                raise

    @contextmanager
    def writing(self, out: Path | None, *, resume: bool) -> Iterator[None]:
        """Work whose files go to `out`, which no other fit may use meanwhile.

        Raises:
            DiffPairError: another fit works there; a package is missing that figures need, said now, not at the end.
        """
        missing = [name for name in _DRAWING if out is not None and find_spec(name) is None]
        if missing:
            raise DiffPairError(f"the figures of a fit need {missing[0]}, which is not installed: {_INSTALL}")
        self.out = out
        with self._locks.holding(), self.working():
            if out is not None and (_holds_fit(out) if resume else out.is_dir()):
                self._locks.take(out)
            yield

    def begin(self, saved: Path | None = None) -> tuple[Setup, FitLoop]:
        """The fit's work, begun where that is not yet so; from a checkpoint in `saved`."""
        if self.begun_well:
            assert self.setup is not None and self.loop is not None
            return self.setup, self.loop
        content, said = load_checkpoint(saved, self._digest) if saved is not None else (None, "")
        done = len(content["history"]) if content else 0
        if said:
            self.progress.note(said)
        for state in self.states:
            if state.simulation is not None:
                state.simulation.begin()
        self._took_over = True
        progress, settings = self.progress, self.settings
        progress.say(where(settings, self.states))
        wanted = [t.numpy() for t in content.get("start", [])] if content else None
        self.setup = setup = prepare(settings, self.states, progress, wanted)
        states = fit_states(setup, settings.seed)
        announce(setup, progress, resumed=content is not None)
        self.loop = loop = make_loop(setup, states, progress, self._keep, self.crew)
        if content is None:
            self._start = self.table
            if self.out is not None:
                self._move_into(self.out, setup, loop)
        else:
            if list(setup.space.grid) != content["grid"]:
                raise DiffPairError(
                    f"{saved}: the table's knots have changed since the checkpoint was made; start anew"
                )
            restore(loop, content)
            assert saved is not None
            self._folders.add(saved.resolve())
            with at_start(setup, loop):
                self._start = self.table
            if saved == self.out:
                for one in mend(saved, setup, loop):
                    progress.note(one)
            progress.say(f"resuming after iteration {done}")
        if not loop.begun:
            self._first(setup, loop)
        if self.asked:
            loop.stop(self.asked)
        self.begun_well = True
        return setup, loop

    def use_folder(self) -> None:
        """Put what there is of the fit into `out`, where that folder does not hold it already."""
        assert self.setup is not None and self.loop is not None
        if self.out is not None and self.out.resolve() not in self._folders:
            self._move_into(self.out, self.setup, self.loop)

    def save(self, folder: Path) -> None:
        """Tables, history and a checkpoint into a folder."""
        with self.working():
            setup, loop = self.begin()
        make_folder(folder)
        with self._locks.holding():
            self._locks.take(folder)
            save_tables(folder, setup)
            write_progress(folder, setup, loop, self._digest)
        self._folders.add(folder.resolve())

    @property
    def table(self) -> PairTable:
        """The present table of the first state that is fitted. Raises DiffPairError before the first step."""
        if self.setup is None:
            raise DiffPairError("the fit has no table before its first step")
        return self.setup.space.table(self.setup.fitted[0].parameters)

    @property
    def work(self) -> Work:
        """What the end of a fit needs."""
        assert self.setup is not None and self.loop is not None
        return Work(self.setup, self.loop, self._start, self.out, self._digest, self._origin, self.progress)

    def _first(self, setup: Setup, loop: FitLoop) -> None:
        """What comes before the first iteration of a new fit. Raises FitStopped."""
        loop.melt()
        self._write(setup, loop)
        section = self.settings.gradient
        if isinstance(section, Adjoint) and section.steps == "auto":
            try:
                choose_segments(setup, loop, self.out)
            except Exploded as error:
                raise FitStopped(f"the fit did not get beyond its start: {error}") from None
        loop.begun = True
        self._write(setup, loop)

    def _write(self, setup: Setup, loop: FitLoop) -> None:
        if self.out is not None:
            write_progress(self.out, setup, loop, self._digest)

    def _move_into(self, out: Path, setup: Setup, loop: FitLoop) -> None:
        make_folder(out)
        self._locks.take(out)
        if said := move_into(out, setup, loop, self._digest, files_of(self.settings, self.states)):
            self.progress.note(said)
        self._folders.add(out.resolve())

    def _keep(self, loop: FitLoop) -> None:
        """After every iteration."""
        if self.out is not None:
            assert self.setup is not None
            save_iteration(self.out, self.setup, len(loop.history))
            self._write(self.setup, loop)
        self._told(loop.history[-1])
        if loop.asked and self.setup is not None:
            self._write(self.setup, loop)


def _holds_fit(out: Path) -> bool:
    return (out / CHECKPOINT).is_file() or (out / BEFORE).is_file()
