"""The front door: a potential, states and settings become a fit that runs, steps, saves and resumes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffpair.engines import Exploded
from diffpair.errors import DiffPairError
from diffpair.fit.assemble import fit_states, make_loop
from diffpair.fit.conclude import Work, conclude, hand_over, keep_best, leave_in_order, put_back
from diffpair.fit.iterate.auto_steps import choose_segments
from diffpair.fit.iterate.loop import FitLoop, FitStopped
from diffpair.fit.record.announce import announce
from diffpair.fit.record.checkpoint import BEFORE, CHECKPOINT, load_checkpoint, restore
from diffpair.fit.record.folder import make_folder, save_iteration, save_tables
from diffpair.fit.record.iteration import Iteration
from diffpair.fit.record.lock import Locks
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.record.provenance import Origin, files_of, fingerprint
from diffpair.fit.record.result import FitResult
from diffpair.fit.record.writing import at_start, mend, move_into, write_progress
from diffpair.fit.setup import Setup, prepare, where
from diffpair.fit.tasks.spread import crew_of
from diffpair.join import join_states
from diffpair.settings.bonded import Bonded
from diffpair.settings.fit_settings import FitSettings
from diffpair.settings.gradient import Adjoint, Gradient
from diffpair.settings.potentials import Potential
from diffpair.settings.sampling import Production, Sampling
from diffpair.settings.start import Start
from diffpair.settings.update import Update
from diffpair.states import State
from diffpair.tables import PairTable

Folder = str | os.PathLike[str]
Callback = Callable[["Fit", Iteration], None]


class Fit:
    """Learns the pair potential of one or several states from what was measured in them.

    Parameters
    ----------
    potential: what is learned, such as `diffpair.Potential("bspline", cutoff=1.0)`. states: see `diffpair.State`; those
        that are held out are reported, never fitted. sampling, production, gradient, update, start, bonded: as in a
        config file, objects of the same names; what is not given has the same defaults. seed: of everything random but
        a user's own Simulation.
    progress: what to report to; the terminal by default, False for nobody. origin: the file that describes the fit, if
        one does. executor: who samples the states, any `concurrent.futures.Executor`: `diffpair.Workers(4)`, that of
        mpi4py.futures, a Dask client's; by default this process, one state after another. The fit does not end it.
        task_timeout: s without any task of the executor ending, after which those that run are taken for hung.

    Raises
    ------
    DiffPairError: whatever does not go together, in one sentence.

    Examples
    --------
    >>> fit = diffpair.Fit(diffpair.Potential("bspline", cutoff=1.0), [state])  # doctest: +SKIP
    >>> result = fit.run()  # doctest: +SKIP
    """

    def __init__(
        self,
        potential: Potential,
        states: State | Sequence[State],
        *,
        sampling: Sampling | None = None,
        production: Production | None = None,
        gradient: Gradient | str | None = None,
        update: Update | str | None = None,
        start: Start | str | None = None,
        bonded: Sequence[Bonded] = (),
        seed: int = 1,
        progress: FitProgress | bool = True,
        origin: Origin | None = None,
        executor: Executor | None = None,
        task_timeout: float | None = None,
    ) -> None:
        given = {
            "sampling": sampling, "production": production, "gradient": gradient, "update": update, "start": start,
            "bonded": tuple(bonded) or None,
        }  # fmt: skip
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.settings = FitSettings(potential=potential, seed=seed, **chosen)
        self.states = join_states(self.settings, [states] if isinstance(states, State) else list(states))
        self._crew = crew_of(executor, task_timeout, self.states)
        self.callbacks: list[Callback] = []
        self._digest = fingerprint(self.settings, self.states)
        self._origin = origin or Origin()
        self._progress = FitProgress.of(progress)
        self._out: Path | None = None
        self._setup: Setup | None = None
        self._loop: FitLoop | None = None
        self._start: PairTable | None = None
        self._stopped = ""  # why, if `stop` was called
        self._took_over = False  # the users' Simulations
        self._begun_well = False
        self._folders: set[Path] = set()  # that hold the files of this fit
        self._locks = Locks()

    def run(
        self,
        out: Folder | None = None,
        *,
        resume: bool = False,
        progress: FitProgress | bool | None = None,
        callback: Callback | None = None,
    ) -> FitResult:
        """All iterations that are left, then production with the learned potential.

        A user's Simulation runs the learned potential from then on; that of the best iteration where the fit fails, and
        what it ran before where there is none.

        Parameters
        ----------
        out: a folder for the files that `diffpair fit` writes: potential.json (the learned potential;
            potential-NAME.json per state where global parameters differ), summary.json, fit.png, report.html, the
            curves of results.json, history.json, start.json, iterations/ (the potential of every iteration),
            checkpoint.pt; for production system.xml, beads.pdb and forcefield.xml, unless the states are users'
            Simulations; with steps: auto also audit.json and audit.png. Those of an earlier fit in the folder are moved
            to previous-N/. Nothing is written without it.
            No other fit may work in the folder meanwhile.
        resume: go on from the checkpoint in `out`.
        progress: what to report to from now on; by default as the fit was told.
        callback: called with the fit and the iteration after each; it may call `stop`.

        Raises
        ------
        DiffPairError: the fit failed repeatedly; the message names the file with the last good potential.
        """
        if resume and out is None:
            raise DiffPairError("a fit resumes from a folder: give the one that holds its checkpoint")
        if resume and self._begun_well:
            raise DiffPairError("the fit has begun already; a new Fit resumes")
        self._out = None if out is None else Path(out)
        if progress is not None:
            self._progress = FitProgress.of(progress)
        if callback is not None:
            self.callbacks.append(callback)
        try:
            with self._locks.holding(), self._working():
                if self._out is not None and (_holds_fit(self._out) if resume else self._out.is_dir()):
                    self._locks.take(self._out)
                setup, loop = self._begun(self._out if resume else None)
                if self._out is not None and self._out.resolve() not in self._folders:
                    self._move_into(self._out, setup, loop)
                loop.run()
                loop.finish()
                return conclude(self._work)
        finally:
            if callback is not None:
                self.callbacks.remove(callback)

    def step(self) -> Iteration:
        """One iteration, for loops of one's own. It is done also where `stopped` says that there is nothing left to do.

        Raises
        ------
        DiffPairError: the fit failed repeatedly; `table` is then that of its best iteration.
        """
        with self._working():
            setup, loop = self._begun(None)
            entry = loop.iterate()
            hand_over(setup)
            return entry

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Where it fails, users' Simulations are left in order."""
        for state in self.states:
            if state.simulation is not None:
                state.simulation.mark()
        with self._progress:
            try:
                yield
            except FitStopped as error:
                raise DiffPairError(keep_best(self._work, str(error))) from None
            except BaseException:
                # whatever it was: a file that cannot be written, a callback's own error, Ctrl-C
                if self._begun_well:
                    leave_in_order(self._work)
                elif self._took_over:
                    put_back(self.states)
                raise

    def stop(self, reason: str = "a callback stopped it") -> None:
        """No further iteration in `run`, which goes on to production; before the first one, with the start.

        A fit that is resumed knows of it, unless it has got more iterations.
        """
        self._stopped = reason
        if self._loop is not None:
            self._loop.stop(reason)

    def interrupt(self) -> None:
        """End `run` by a KeyboardInterrupt as soon as the present task of sampling is done; for signal handlers.

        Where nothing has been sampled yet, at once (KeyboardInterrupt). The folder keeps what there is, and `resume`
        goes on from there.
        """
        if not self._begun_well:
            raise KeyboardInterrupt
        self._crew.interrupt()

    @property
    def history(self) -> list[Iteration]:
        """What every iteration found."""
        return [] if self._loop is None else list(self._loop.history)

    @property
    def stopped(self) -> str:
        """Why there is nothing left to do; empty while there is."""
        return self._stopped if self._loop is None else self._loop.stopped

    @property
    def tables(self) -> dict[str, PairTable]:
        """The present table of every state, by name; nothing before the first step."""
        if self._setup is None:
            return {}
        return {state.name: self._setup.space.table(state.parameters) for state in self._setup.states}

    @property
    def table(self) -> PairTable:
        """The present table of the first state that is fitted. Raises DiffPairError before the first step."""
        if self._setup is None:
            raise DiffPairError("the fit has no table before its first step")
        return self.tables[self._setup.fitted[0].name]

    def save(self, out: Folder) -> None:
        """Write potential.json, history.json and checkpoint.pt, from which `Fit.resume` goes on, to a folder."""
        folder = Path(out)
        with self._working():
            setup, loop = self._begun(None)
        make_folder(folder)
        with self._locks.holding():
            self._locks.take(folder)
            save_tables(folder, setup)
            write_progress(folder, setup, loop, self._digest)
        self._folders.add(folder.resolve())

    @classmethod
    def resume(
        cls, out: Folder, potential: Potential, states: State | Sequence[State], *,
        sampling: Sampling | None = None, production: Production | None = None, gradient: Gradient | str | None = None,
        update: Update | str | None = None, start: Start | str | None = None, bonded: Sequence[Bonded] = (),
        seed: int = 1, progress: FitProgress | bool = True, origin: Origin | None = None,
        executor: Executor | None = None, task_timeout: float | None = None,
    ) -> Fit:  # fmt: skip
        """The fit that was saved in a folder, set up with the same potential, states and options.

        A Simulation among the states is brought to where the fit had left it.

        Raises
        ------
        DiffPairError: the folder holds no checkpoint, or that of another fit.
        """
        fit = cls(
            potential, states, sampling=sampling, production=production, gradient=gradient, update=update, start=start,
            bonded=bonded, seed=seed, progress=progress, origin=origin, executor=executor, task_timeout=task_timeout,
        )  # fmt: skip
        with fit._working():
            fit._begun(Path(out))
        return fit

    def __repr__(self) -> str:
        settings = self.settings
        done = f"{len(self.history)} of {settings.method.iterations} iterations"
        best = f", mean |g - target| {self._loop.best.mae:.4f}" if self._loop is not None and self._loop.best else ""
        lines = [
            f"Fit of a {settings.potential.form} potential, cutoff {settings.potential.cutoff:g} nm, "
            f"by {settings.method.method} with gradient {settings.gradient.method}: {done}{best}",
            *(f"  {state}" for state in self.states),
        ]
        return "\n".join(lines)

    @property
    def _work(self) -> Work:
        assert self._setup is not None and self._loop is not None
        return Work(self._setup, self._loop, self._start, self._out, self._digest, self._origin, self._progress)

    def _begun(self, saved: Path | None) -> tuple[Setup, FitLoop]:
        """The fit's work, begun where that is not yet so; from a checkpoint in `saved`."""
        if self._begun_well:
            assert self._setup is not None and self._loop is not None
            return self._setup, self._loop
        content, said = load_checkpoint(saved, self._digest) if saved is not None else (None, "")
        done = len(content["history"]) if content else 0
        if said:
            self._progress.say(f"note: {said}")
        for state in self.states:
            if state.simulation is not None:
                state.simulation.begin()
        self._took_over = True
        progress, settings = self._progress, self.settings
        progress.say(where(settings, self.states))
        wanted = [t.numpy() for t in content.get("start", [])] if content else None
        self._setup = setup = prepare(settings, self.states, progress, wanted)
        states = fit_states(setup, settings.seed)
        announce(setup, progress, resumed=content is not None)
        self._loop = loop = make_loop(setup, states, progress, self._keep, self._crew)
        if content is None:
            self._start = self.table
            if self._out is not None:
                self._move_into(self._out, setup, loop)
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
            if saved == self._out:
                for one in mend(saved, setup, loop):
                    progress.say(f"note: {one}")
            progress.say(f"resuming after iteration {done}")
        if not loop.begun:
            self._first(setup, loop)
        if self._stopped:
            loop.stop(self._stopped)
        self._begun_well = True
        return setup, loop

    def _first(self, setup: Setup, loop: FitLoop) -> None:
        """What comes before the first iteration of a new fit. Raises FitStopped."""
        loop.melt()
        self._write(setup, loop)
        section = self.settings.gradient
        if isinstance(section, Adjoint) and section.steps == "auto":
            try:
                choose_segments(setup, loop, self._out)
            except Exploded as error:
                raise FitStopped(f"the fit did not get beyond its start: {error}") from None
        loop.begun = True
        self._write(setup, loop)

    def _write(self, setup: Setup, loop: FitLoop) -> None:
        if self._out is not None:
            write_progress(self._out, setup, loop, self._digest)

    def _move_into(self, out: Path, setup: Setup, loop: FitLoop) -> None:
        make_folder(out)
        self._locks.take(out)
        if said := move_into(out, setup, loop, self._digest, files_of(self.settings, self.states)):
            self._progress.say(f"note: {said}")
        self._folders.add(out.resolve())

    def _keep(self, loop: FitLoop) -> None:
        """After every iteration."""
        if self._out is not None:
            assert self._setup is not None
            save_iteration(self._out, self._setup, len(loop.history))
            self._write(self._setup, loop)
        for callback in list(self.callbacks):
            callback(self, loop.history[-1])
        if loop.asked and self._setup is not None:
            self._write(self._setup, loop)


def _holds_fit(out: Path) -> bool:
    return (out / CHECKPOINT).is_file() or (out / BEFORE).is_file()
