"""The front door: a potential, states and settings become a fit that runs, steps, saves and resumes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from diffpair.errors import DiffPairError
from diffpair.fit.conclude import conclude, hand_over
from diffpair.fit.record.iteration import Iteration
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.record.provenance import Origin
from diffpair.fit.record.result import FitResult
from diffpair.fit.session import Session
from diffpair.fit.tasks.spread import crew_of
from diffpair.join import join_states
from diffpair.settings.bonded import Bonded
from diffpair.settings.fit_settings import FitSettings
from diffpair.settings.gradient import Gradient
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

    What is not given has the defaults of a config file.

    Args:
        potential: what is learned.
        states: one state or several. Those that are held out are reported, never fitted.
        sampling: molecular dynamics of an iteration; its time step is needed for states that are no Simulation.
        production: the run that judges the result.
        gradient: how averages answer to the potential, or its name; by default `Fluctuation`.
        update: what a step of the fit is, or its name; by default `GaussNewton`, or "adam" with `Reweighting` and with
            fewer than four adjoint segments.
        start: the first potential, or its name; by default "auto", or "parameters" for analytic forms and modules.
        bonded: bonds, angles and dihedrals that are learned, too.
        seed: of everything random but a user's own Simulation.
        progress: what to report to; True is the terminal, False nobody.
        origin: the file that describes the fit, if one does.
        executor: who samples the states, any `concurrent.futures.Executor`: `Workers`, that of mpi4py.futures, a Dask
            client's; by default this process, one state after another. The fit does not end it.
        task_timeout: s without any task of the executor ending, after which those that run are taken for hung.

    Attributes:
        callbacks: functions of the fit and the `Iteration`, called after each; they may call `stop`.
        settings: all that was chosen beside the states.
        states: the states that take part.

    Raises:
        DiffPairError: whatever does not go together, in one sentence.

    Examples:
        >>> r = 0.05 * np.arange(1, 60)
        >>> liquid = diffpair.State.from_lattice(
        ...     "liquid",
        ...     n=108,
        ...     density="0.5 nm^-3",
        ...     types={"A": 1.0},
        ...     masses="40 amu",
        ...     temperature="120 K",
        ...     targets=[diffpair.RdfTarget(("A", "A"), r, np.where(r < 0.95, 0.0, 1.0))],
        ... )
        >>> fit = diffpair.Fit(
        ...     diffpair.Potential("bspline", cutoff="2.5 nm"),
        ...     liquid,
        ...     sampling=diffpair.Sampling(timestep="5 fs"),
        ... )
        >>> fit
        Fit of a bspline potential, cutoff 2.5 nm, by gauss-newton with gradient fluctuation: 0 of 10 iterations
          state liquid: 108 particles, 0.5 per nm^3, 120 K
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
        self.callbacks: list[Callback] = []
        crew = crew_of(executor, task_timeout, self.states)
        self._session = Session(self.settings, self.states, crew, FitProgress.of(progress), origin, self._tell)

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

        Args:
            out: a folder for the files that `diffpair fit` writes: potential.json (the learned potential;
                potential-NAME.json per state where global parameters differ), summary.json, fit.png, report.html, the
                curves of results.json, history.json, start.json, iterations/ (the potential of every iteration),
                checkpoint.pt; for production system.xml, beads.pdb and forcefield.xml, unless the states are users'
                Simulations; with `steps="auto"` also audit.json and audit.png. Those of an earlier fit in the folder
                are moved to previous-N/. No other fit may work in the folder meanwhile. Nothing is written without it.
            resume: go on from the checkpoint in `out`.
            progress: what to report to from now on; by default as the fit was told.
            callback: a function of the fit and the `Iteration`, called after each; it may call `stop`.

        Returns:
            The learned potential with error bars, and what production found.

        Raises:
            DiffPairError: the fit failed repeatedly; the message names the file with the last good potential.
        """
        if resume and out is None:
            raise DiffPairError("a fit resumes from a folder: give the one that holds its checkpoint")
        session = self._session
        if resume and session.begun_well:
            raise DiffPairError("the fit has begun already; a new Fit resumes")
        folder = None if out is None else Path(out)
        if progress is not None:
            session.progress = FitProgress.of(progress)
        if callback is not None:
            self.callbacks.append(callback)
        try:
            with session.writing(folder, resume=resume):
                _, loop = session.begin(folder if resume else None)
                session.use_folder()
                loop.run()
                loop.finish()
                return conclude(session.work)
        finally:
            if callback is not None:
                self.callbacks.remove(callback)

    def step(self) -> Iteration:
        """One iteration, for loops of one's own. It is done also where `stopped` says that there is nothing left to do.

        Returns:
            What the iteration found.

        Raises:
            DiffPairError: the fit failed repeatedly; `table` is then that of its best iteration.
        """
        with self._session.working():
            setup, loop = self._session.begin()
            entry = loop.iterate()
            hand_over(setup)
            return entry

    def stop(self, reason: str = "a callback stopped it") -> None:
        """No further iteration in `run`, which goes on to production; before the first one, with the start.

        A fit that is resumed knows of it, unless it has got more iterations.

        Args:
            reason: told as `stopped` and in the summary.
        """
        self._session.asked = reason
        if self._session.loop is not None:
            self._session.loop.stop(reason)

    def interrupt(self) -> None:
        """End `run` by a KeyboardInterrupt as soon as the present task of sampling is done; for signal handlers.

        The folder keeps what there is, and `resume` goes on from there.

        Raises:
            KeyboardInterrupt: at once, where nothing has been sampled yet.
        """
        if not self._session.begun_well:
            raise KeyboardInterrupt
        self._session.crew.interrupt()

    @property
    def history(self) -> list[Iteration]:
        """What every iteration found."""
        loop = self._session.loop
        return [] if loop is None else list(loop.history)

    @property
    def stopped(self) -> str:
        """Why there is nothing left to do; empty while there is."""
        loop = self._session.loop
        return self._session.asked if loop is None else loop.stopped

    @property
    def tables(self) -> dict[str, PairTable]:
        """The present table of every state, by name; nothing before the first step."""
        setup = self._session.setup
        if setup is None:
            return {}
        return {state.name: setup.space.table(state.parameters) for state in setup.states}

    @property
    def table(self) -> PairTable:
        """The present table of the first state that is fitted.

        Raises:
            DiffPairError: before the first step.
        """
        return self._session.table

    def save(self, out: Folder) -> None:
        """Write potential.json, history.json and checkpoint.pt, from which `Fit.resume` goes on, to a folder.

        Args:
            out: the folder; made if needed.

        Raises:
            DiffPairError: the folder cannot be written, or another fit works in it.
        """
        self._session.save(Path(out))

    @classmethod
    def resume(
        cls, out: Folder, potential: Potential, states: State | Sequence[State], *,
        sampling: Sampling | None = None, production: Production | None = None, gradient: Gradient | str | None = None,
        update: Update | str | None = None, start: Start | str | None = None, bonded: Sequence[Bonded] = (),
        seed: int = 1, progress: FitProgress | bool = True, origin: Origin | None = None,
        executor: Executor | None = None, task_timeout: float | None = None,
    ) -> Fit:  # fmt: skip
        """The fit that was saved in a folder, set up with the same potential, states and options.

        A Simulation among the states is brought to where the fit had left it. All arguments but `out` are those of
        `Fit`, as they were when the fit was saved; `sampling` may run elsewhere, and `update` may have more iterations.

        Args:
            out: the folder of `save` or `run`.
            potential: as of the saved fit.
            states: as of the saved fit.
            sampling: as of the saved fit.
            production: may differ from that of the saved fit.
            gradient: as of the saved fit.
            update: as of the saved fit, but for the number of iterations.
            start: as of the saved fit.
            bonded: as of the saved fit.
            seed: as of the saved fit.
            progress: see `Fit`.
            origin: see `Fit`.
            executor: see `Fit`.
            task_timeout: see `Fit`.

        Returns:
            The fit, ready to go on by `run` or `step`.

        Raises:
            DiffPairError: the folder holds no checkpoint, or that of another fit.
        """
        fit = cls(
            potential, states, sampling=sampling, production=production, gradient=gradient, update=update, start=start,
            bonded=bonded, seed=seed, progress=progress, origin=origin, executor=executor, task_timeout=task_timeout,
        )  # fmt: skip
        with fit._session.working():
            fit._session.begin(Path(out))
        return fit

    def __repr__(self) -> str:
        settings, loop = self.settings, self._session.loop
        done = f"{len(self.history)} of {settings.method.iterations} iterations"
        best = f", mean |g - target| {loop.best.mae:.4f}" if loop is not None and loop.best else ""
        lines = [
            f"Fit of a {settings.potential.form} potential, cutoff {settings.potential.cutoff:g} nm, "
            f"by {settings.method.method} with gradient {settings.gradient.method}: {done}{best}",
            *(f"  {state}" for state in self.states),
        ]
        return "\n".join(lines)

    def _tell(self, entry: Iteration) -> None:
        for callback in list(self.callbacks):
            callback(self, entry)
