"""The tasks of a fit on any `concurrent.futures.Executor`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any, TypeVar

from diffpair.engines import Exploded
from diffpair.engines.engine import Progress
from diffpair.errors import DiffPairError
from diffpair.fit.tasks.crew import Call, Crew, Serial
from diffpair.states import State

T = TypeVar("T")
ATTEMPTS = 3  # of a task whose worker was lost or failed: a machine may die, but a task that kills three is at fault


class Spread(Crew):
    """An executor: processes of this machine, MPI ranks, a cluster.

    A task that fails for any other reason than its state's own is given to the executor again, which may have another
    worker. It is the same task, so its outcome is what it would have been.

    Args:
        executor: any. timeout: s; if no task ends for so long, all that run are taken for hung. Executors with a method
            `kill_running`, such as `diffpair.Workers`, then do them again; with others the fit stops. None: never.
    """

    def __init__(self, executor: Executor, timeout: float | None = None) -> None:
        super().__init__()
        self.executor, self.timeout = executor, timeout

    def run(self, calls: Sequence[Call[T]], progress: Progress | None = None) -> list[T | Exploded]:
        """See Crew."""
        found: list[Any] = [None] * len(calls)
        attempts = [0] * len(calls)
        running: dict[Future[Any], int] = {}
        try:
            for index, call in enumerate(calls):
                running[self._submit(call, attempts, index)] = index
            while running:
                self._between_calls()
                done, _ = wait(running, self.timeout, FIRST_COMPLETED)
                if not done:
                    self._hung(calls[next(iter(running.values()))])
                    continue
                for future in done:
                    index = running.pop(future)
                    try:
                        found[index] = future.result()
                    except DiffPairError:
                        raise
                    except BaseException as error:  # CancelledError is no Exception
                        if isinstance(error, KeyboardInterrupt | SystemExit):
                            raise
                        self._judge(calls[index], attempts[index], error)
                        running[self._submit(calls[index], attempts, index)] = index
                        continue
                    if progress is not None:
                        progress(calls[index].steps)
        finally:
            for future in running:
                future.cancel()
        return found

    def _submit(self, call: Call[T], attempts: list[int], index: int) -> Future[Any]:
        attempts[index] += 1
        try:
            return self.executor.submit(call.function, *call.arguments())
        except Exception as error:
            raise DiffPairError(
                f"the executor takes no more tasks ({_named(error)}): resume the fit with a new one"
            ) from error

    def _judge(self, call: Call[T], attempts: int, error: BaseException) -> None:
        """Raises where that was the last attempt."""
        if attempts >= ATTEMPTS:
            raise DiffPairError(
                f"state {call.state!r}: its task failed {attempts} times on the executor's workers, the last time with "
                f"{_named(error)}: look at whether OpenMM and diffpair work there, then resume the fit"
            ) from error

    def _hung(self, call: Call[T]) -> None:
        """Raises where nothing can be done."""
        kill = getattr(self.executor, "kill_running", None)
        if kill is None:
            raise DiffPairError(
                f"no task ended within task_timeout = {self.timeout:g} s, and that of state {call.state!r} still runs: "
                f"the executor's workers hang, or the time is too short; resume the fit with a new executor"
            )
        kill()


def crew_of(executor: Executor | None, timeout: float | None, states: Sequence[State]) -> Crew:
    """This process, or an executor. Raises DiffPairError where states cannot go to another process."""
    if executor is None:
        return Serial()
    if not callable(getattr(executor, "submit", None)):
        raise DiffPairError(
            f"executor must be a concurrent.futures.Executor, such as diffpair.Workers(4), not {executor!r}"
        )
    if timeout is not None and not timeout > 0:
        raise DiffPairError(f"task_timeout must be positive, in s, not {timeout!r}")
    for state in states:
        if state.runs_itself:
            what = "a Simulation of this process" if state.simulation is not None else "a LAMMPS input script"
            raise DiffPairError(
                f"state {state.name!r} runs in {what}, which has random numbers of its own, and which no executor "
                f"can take along: leave the executor out, or make the state from files"
            )
    return Spread(executor, timeout)


def _named(error: BaseException) -> str:
    """An error of another process, on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
