"""diffpair fit"""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from diffpair._version import __version__
from diffpair.cli.command import Command
from diffpair.cli.events import Events
from diffpair.cli.streams import own_stdout


@click.command(
    "fit",
    cls=Command,
    short_help="Learn a potential.",
    examples=(
        "diffpair fit fit.yaml --out model",
        "diffpair fit fit.yaml --out model --resume",
        "diffpair fit fit.yaml --out model --workers 4",
        "diffpair fit fit.yaml --out model --json > events.jsonl",
        "mpiexec -n 5 python -m mpi4py.futures -m diffpair fit fit.yaml --out model",
    ),
    groups={
        "Results": ("out", "resume"),
        "Where states are sampled": ("workers", "dask", "task_timeout"),
        "What is said": ("quiet", "as_json"),
    },
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results; made if needed.")
@click.option("--resume", is_flag=True, help="Go on with a fit that was interrupted in the same folder.")
@click.option("--workers", type=click.IntRange(1), help="Sample states and replicas in so many processes.")
@click.option("--dask", metavar="ADDRESS", help="Sample them on the Dask cluster whose scheduler is there.")
@click.option("--task-timeout", type=float, metavar="SECONDS", help="Take tasks for hung that last longer.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but what is unusual, and the verdict at the end.")
@click.option("--json", "as_json", is_flag=True, help="Say it in JSON, an event per line (docs: commands).")
@click.pass_context
def command(
    context: click.Context, config: Path, out: Path, resume: bool, workers: int | None, dask: str | None,
    task_timeout: float | None, quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    """Learn a potential as CONFIG (YAML) describes.

    Writes the learned potential, summary.json and report.html to the folder OUT. Each iteration tells the mean
    |g - target|, the noise of that, and how long the rest takes at most: a fit ends where the residual is noise. The
    last line is the verdict of the report. Under `mpiexec -n N python -m mpi4py.futures -m diffpair fit ...` the states
    are sampled on the other N - 1 processes. Ctrl-C ends the fit after the present task, a second one at once.
    """
    from diffpair.errors import DiffPairError

    if quiet and as_json:
        raise DiffPairError("--quiet and --json do not go together: choose one")
    with own_stdout() if as_json else nullcontext(sys.stdout) as stream:
        events = Events(stream) if as_json else None
        try:
            _fit(config, out, resume, workers, dask, task_timeout, quiet, events)
        except KeyboardInterrupt as error:
            again = KeyboardInterrupt(*error.args)
            if _is_begun(out):
                debug = bool((context.obj or {}).get("debug"))
                command = _resuming(config, out, workers, dask, task_timeout, debug)
                again = KeyboardInterrupt(f"{out} keeps what is finished; go on with: {command}")
            if events is not None:
                events.emit("error", text=f"interrupted; {again}".rstrip("; "))
            raise again from None
        except Exception as error:
            if events is not None:
                events.emit("error", text=" ".join(str(error).split()))
            raise


def _is_begun(out: Path) -> bool:
    """Whether a fit of this process has left something in the folder to go on from."""
    checkpoint = sys.modules.get(
        "diffpair.fit.record.checkpoint"
    )  # not imported: an interrupt should not wait for torch
    return checkpoint is not None and (out / checkpoint.CHECKPOINT).is_file()


def _fit(
    config: Path, out: Path, resume: bool, workers: int | None, dask: str | None, task_timeout: float | None,
    quiet: bool, events: Events | None,
) -> None:  # fmt: skip
    """The fit, and its verdict."""
    from diffpair.config import load_config, make_fit
    from diffpair.errors import DiffPairError

    checked = load_config(config)
    if out.exists() and not out.is_dir():
        raise DiffPairError(f"{out}: is a file, but --out needs a folder")
    from diffpair.cli.fit_progress import JsonProgress, QuietProgress, warnings_as_notes
    from diffpair.fit.record.progress import FitProgress

    progress = JsonProgress(events) if events is not None else QuietProgress() if quiet else FitProgress()
    with warnings_as_notes(progress) if events is not None else nullcontext(), _executor(workers, dask) as executor:
        if events is not None:
            states = [{"name": state.name, "held_out": state.held_out} for state in checked.states]
            iterations = checked.method.iterations
            events.emit(
                "start", diffpair=__version__, config=str(config), out=str(out), resume=resume, states=states,
                iterations=iterations,
            )  # fmt: skip
        fit = make_fit(checked, executor=executor, task_timeout=task_timeout, progress=progress)
        with _patient(fit.interrupt):
            fit.run(out, resume=resume)
    _conclude(out, events)


def _conclude(out: Path, events: Events | None) -> None:
    """The verdict of the report, in a line or as the last event."""
    from diffpair.report.files import POTENTIAL, REPORT, SUMMARY
    from diffpair.report.html.folder import read_folder
    from diffpair.report.html.verdict import judge

    folder = read_folder(out)
    verdict = judge(folder)
    if events is None:
        click.echo(f"{out}: {verdict.level}. {verdict.sentence}")
        return
    names = {
        name: str(out / file) for name, file in (("potential", POTENTIAL), ("summary", SUMMARY), ("report", REPORT))
    }
    events.emit(
        "result", verdict=verdict.level, sentence=verdict.sentence, more=list(verdict.more), out=str(out), **names,
        iterations=folder.summary["iterations"], md_steps=folder.summary["md_steps"],
        seconds=folder.summary["wall_seconds"], stopped=folder.summary["stopped"],
    )  # fmt: skip


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
