"""diffpair fit"""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

import click

from diffpair.cli.command import Command


@click.command("fit", cls=Command)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results; made if needed.")
@click.option("--resume", is_flag=True, help="Go on with a fit that was interrupted in the same folder.")
@click.option("--workers", type=click.IntRange(1), help="Sample states and replicas in so many processes.")
@click.option("--dask", metavar="ADDRESS", help="Sample them on the Dask cluster whose scheduler is there.")
@click.option("--task-timeout", type=float, metavar="SECONDS", help="Take tasks for hung that last longer.")
@click.pass_context
def command(
    context: click.Context, config: Path, out: Path, resume: bool, workers: int | None, dask: str | None,
    task_timeout: float | None,
) -> None:  # fmt: skip
    """Learn a potential as CONFIG (YAML) describes.

    Writes the learned potential, summary.json and report.html to the folder OUT. Under `mpiexec -n N python -m
    mpi4py.futures -m diffpair fit ...` the states are sampled on the other N - 1 processes. Ctrl-C ends the fit after
    the present task, a second one at once.
    """
    from diffpair.config import load_config
    from diffpair.errors import DiffPairError

    checked = load_config(config)
    if out.exists() and not out.is_dir():
        raise DiffPairError(f"{out}: is a file, but --out needs a folder")
    from diffpair.config import make_fit
    from diffpair.fit.record.checkpoint import CHECKPOINT

    try:
        with _executor(workers, dask) as executor:
            fit = make_fit(checked, executor=executor, task_timeout=task_timeout)
            with _patient(fit.interrupt):
                fit.run(out, resume=resume)
    except KeyboardInterrupt:
        if (out / CHECKPOINT).is_file():
            again = _resuming(config, out, workers, dask, task_timeout, bool((context.obj or {}).get("debug")))
            raise KeyboardInterrupt(f"{out} keeps what is finished; go on with: {again}") from None
        raise


@contextmanager
def _patient(interrupt: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C calls `interrupt`, the next one interrupts as it always does."""

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupt()
        click.echo("diffpair: ends after the present task; Ctrl-C once more ends at once", err=True)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _resuming(
    config: Path, out: Path, workers: int | None, dask: str | None, task_timeout: float | None, debug: bool
) -> str:
    """The command that goes on, for a shell."""
    words = ["diffpair"]
    if _under_mpi():
        from mpi4py import MPI

        words = ["mpiexec", "-n", str(MPI.COMM_WORLD.size), "python", "-m", "mpi4py.futures", "-m", "diffpair"]
    words += ["--debug"] if debug else []
    words += ["fit", str(config), "--out", str(out), "--resume"]
    given = (("--workers", workers), ("--dask", dask), ("--task-timeout", task_timeout))
    words += [
        text
        for name, value in given
        if value is not None
        for text in (name, f"{value:g}" if isinstance(value, float) else str(value))
    ]
    return shlex.join(words)


def _under_mpi() -> bool:
    return "mpi4py.futures" in sys.modules  # which `python -m mpi4py.futures` has loaded


@contextmanager
def _executor(workers: int | None, dask: str | None) -> Iterator[Executor | None]:
    """What the options ask for; nothing for this process alone."""
    from diffpair.errors import DiffPairError

    mpi = _under_mpi()
    asked = [name for name, given in (("--workers", workers), ("--dask", dask), ("mpi4py.futures", mpi)) if given]
    if len(asked) > 1:
        raise DiffPairError(f"{' and '.join(asked)} do not go together: choose one")
    if workers:
        from diffpair.fit.tasks.workers import Workers

        with Workers(workers) as executor:
            try:
                yield executor
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise
    elif dask:
        with _dask_client(dask) as executor:
            yield executor
    elif mpi:
        from mpi4py.futures import MPIPoolExecutor

        with MPIPoolExecutor() as executor:
            yield executor
    else:
        yield None


@contextmanager
def _dask_client(address: str) -> Iterator[Executor]:
    from diffpair.errors import DiffPairError

    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise DiffPairError("--dask needs Dask: pip install 'diffpair[dask]'") from None
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise DiffPairError(f"--dask {address}: no Dask scheduler answers there ({error})") from None
    with client:
        yield client.get_executor(pure=False, retries=0)
