"""Processes of this machine as an executor that survives the death of any of them."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from loky.process_executor import ProcessPoolExecutor

from diffpair.errors import DiffPairError
from diffpair.fit.tasks.remote import ready
from diffpair.processors import usable_processors

# What OpenMM, the core's operators and NumPy read how many threads they may have from.
_THREADS = ("OPENMM_CPU_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Workers(Executor):
    """So many processes, each with its share of the processor's cores.

    Every process is a pool of one, so that one that is killed takes nothing along but its own task; another takes its
    place. They are started by loky: a script needs no ``if __name__ == "__main__"``.

    Args:
        count: number of processes.
        threads: of each process; by default the number of cores over that of processes.

    Raises:
        DiffPairError: a number below 1.

    Examples:
        It is a context manager, which ends the processes::

            with diffpair.Workers(4) as workers:
                result = diffpair.Fit(potential, states, executor=workers).run("out")
    """

    def __init__(self, count: int, threads: int | None = None) -> None:
        if count < 1 or (threads is not None and threads < 1):
            raise DiffPairError(f"workers and their threads must be 1 or more, not {count} and {threads}")
        self.count = count
        self.threads = threads or max(1, usable_processors() // count)
        self._idle: SimpleQueue[ProcessPoolExecutor] = SimpleQueue()
        self._busy: set[ProcessPoolExecutor] = set()
        for _ in range(count):
            process = self._process()
            process.submit(ready)  # meanwhile the fit prepares its start
            self._idle.put(process)
        self._hands = ThreadPoolExecutor(count, thread_name_prefix="diffpair-worker")  # each waits for a process

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See `concurrent.futures.Executor`.

        Args:
            fn: a function that can be pickled.
            args: its arguments.
            kwargs: its keyword arguments.

        Returns:
            A future, which fails with loky's TerminatedWorkerError where the process is killed.
        """
        return self._hands.submit(self._run, fn, args, kwargs)

    def kill_running(self) -> None:
        """Kill the processes that are at work; their tasks fail, and new processes take their place."""
        for process in list(self._busy):
            process.shutdown(wait=False, kill_workers=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, see `concurrent.futures.Executor`.

        Args:
            wait: for tasks that are at work; without it their processes are killed.
            cancel_futures: drop tasks that have not begun.
        """
        if not wait:
            self.kill_running()
        self._hands.shutdown(wait, cancel_futures=cancel_futures)
        while not self._idle.empty():
            self._idle.get().shutdown(wait=False, kill_workers=True)

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        process = self._idle.get()
        self._busy.add(process)
        sound = False
        try:
            result = process.submit(fn, *args, **kwargs).result()
            sound = True
            return result
        except Exception as error:
            sound = not isinstance(error, RuntimeError)  # loky's errors of broken and closed pools are
            raise
        finally:
            self._busy.discard(process)
            if not sound:
                process.shutdown(wait=False, kill_workers=True)
            self._idle.put(process if sound else self._process())

    def _process(self) -> ProcessPoolExecutor:
        """One that leaves Ctrl-C to the fit, which ends its workers when it has kept what it has."""
        threads = dict.fromkeys(_THREADS, str(self.threads))
        return ProcessPoolExecutor(
            1, timeout=None, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN), env=threads
        )
