"""States on several processes: what it gains, what it costs, and where it ends.

    python benchmarks/parallel.py [--cases tasks,fit,cluster,serial] [--states 8] [--json FILE]

tasks: equal states on two local workers against one process with the same threads, and what a task costs beside its
sampling. fit: a whole fit, its serial part too. cluster: 64 states on a Dask cluster of two processes. serial: the step
of Gauss-Newton as states are added, which no executor shares. Needs a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from bars import Bar, at_least, at_most, figure, show, write_json
from rich.console import Console

import diffpair
from diffpair.fit.assemble import fit_states, make_loop
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.iterate.loop import FitLoop
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.setup import prepare
from diffpair.fit.tasks.crew import Call, Serial
from diffpair.fit.tasks.spread import Spread

TARGET = Path(__file__).parents[1] / "examples" / "lennard_jones" / "rdf.csv"
ATOMS, STEPS, EVERY, ROUNDS = 864, 1500, 10, 5
DENSITIES = 0.80, 0.845  # of the states, evenly between them: none is another's copy
GROWING = 1, 4, 16, 64, 256
THREADS = "OMP_NUM_THREADS", "OPENMM_CPU_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"


def states_of(count: int, atoms: int = ATOMS) -> list[diffpair.State]:
    """Lennard-Jones liquids, all with the g(r) of one of them: good enough for the time that things take."""
    target = diffpair.Rdf("A", "A", str(TARGET), range=[0.75, 2.6])
    densities = np.linspace(*DENSITIES, count)
    return [
        diffpair.State.from_lattice(f"s{i}", atoms, density, {"A": 1.0}, 1.0, 120.27, [target], seed=i)
        for i, density in enumerate(densities)
    ]


def fit_of(states: list[diffpair.State], iterations: int = 3, steps: int = STEPS, **how: object) -> diffpair.Fit:
    """By Gauss-Newton, as many iterations as are wanted."""
    return diffpair.Fit(
        diffpair.Potential("bspline", cutoff=2.5, knots=60),
        states,
        sampling=diffpair.Sampling(timestep=0.005, equilibration=100, steps=steps, every=EVERY, adaptive=False),
        production=diffpair.Production(max_steps=400, noise_target=1.0),
        update=diffpair.GaussNewton(iterations=iterations, stop_at_noise=False),
        progress=False,
        **how,
    )


def begun(count: int) -> tuple[list[LiveState], FitLoop]:
    """The states of a fit before its first iteration, the first one molten."""
    fit = fit_of(states_of(count))
    quiet = FitProgress.of(False)
    setup = prepare(fit.settings, fit.states, quiet)
    states = fit_states(setup, fit.settings.seed)
    return states, make_loop(setup, states, quiet, lambda loop: None)


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def tasks(count: int, console: Console) -> list[Bar]:
    """The samplings of an iteration, here and on two workers, interleaved."""
    states, loop = begun(count)
    for live in states:
        live.perform(live.melting())
    table = loop.tables()[0]
    calls = [live.call(task) for live in states for task in live.tasks(table, 1)]
    live, (task,) = states[0], states[0].tasks(table, 1)
    # what a task costs beside its sampling: an empty one goes there and back, and so does an outcome
    empty, outcome = live.call(replace(task, equilibration=0, steps=0)), live.station.perform(task)
    echo = Call(live.state.name, lambda progress: outcome, copy.copy, lambda: (outcome,), 0)
    found: dict[str, list[float]] = {"serial": [], "two": [], "bare": [], "empty": [], "echo": []}
    with awake(), diffpair.Workers(2, threads=1) as two, diffpair.Workers(1, threads=1) as one:
        for crew in (Serial(), Spread(two), Spread(two), Spread(one)):
            crew.run(calls)  # every process has every Context
        for _ in range(ROUNDS):
            found["serial"].append(seconds(lambda: Serial().run(calls)))
            found["two"].append(seconds(lambda: Spread(two).run(calls)))
            live.station.begin(task)
            found["bare"].append(seconds(lambda: _bare(live, task)))
            found["empty"].append(seconds(lambda: Spread(one).run([empty])))
            found["echo"].append(seconds(lambda: Spread(one).run([echo])))
    serial, spread, bare, begun_there, sent = (statistics.median(found[name]) for name in found)
    beside = begun_there + sent
    console.print(
        f"{count} states of {ATOMS} atoms, {STEPS} steps: {serial:.3g} s in one process, {spread:.3g} s in two; "
        f"a task: {1e3 * bare:.4g} ms of sampling, {1e3 * begun_there:.3g} ms to begin it in another process, "
        f"{1e3 * sent:.3g} ms to send what it found there and back"
    )
    return [
        at_least(f"{count} equal states on 2 workers, efficiency", serial / (2 * spread), 0.9, "of 1"),
        at_most("a task in another process beyond its sampling", 100 * beside / bare, 5.0, "%"),
    ]


@contextmanager
def awake() -> Iterator[None]:
    """Keep every core from falling asleep, by work of the lowest priority.

    On a virtual machine it takes so long to wake one that OpenMM with one thread, which hands each step over to
    another, is half as fast alone as beside others.
    """
    command = ["nice", "-n", "19", sys.executable, "-c", "while True: pass"]
    idle = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in idle:
            process.kill()


def _bare(live: LiveState, task: object) -> None:
    """The dynamics and the sums of frames alone."""
    live.station.engine.equilibrate(task.equilibration)
    live.station._sample(task, None)


def fit(count: int, console: Console) -> list[Bar]:
    """A whole fit, start and production included, in one process and on two workers."""
    with awake(), tempfile.TemporaryDirectory() as folder:
        alone = seconds(lambda: fit_of(states_of(count)).run(Path(folder) / "one"))
        with diffpair.Workers(2, threads=1) as two:
            spread = seconds(lambda: fit_of(states_of(count), executor=two).run(Path(folder) / "two"))
    console.print(f"a fit of {count} states, 3 iterations: {alone:.3g} s in one process, {spread:.3g} s on two workers")
    return [figure(f"a fit of {count} states on 2 workers, start of the processes included", alone / spread, "x")]


def cluster(console: Console) -> list[Bar]:
    """64 states on Dask's LocalCluster, as on a cluster's nodes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        Client(local) as client,
        tempfile.TemporaryDirectory() as folder,
    ):
        executor = client.get_executor(pure=False, retries=0)
        took = seconds(lambda: fit_of(states_of(64), 2, 500, executor=executor).run(Path(folder) / "out"))
        peaks = client.run(_peak)
    console.print(f"64 states on 2 Dask workers, 2 iterations: {took:.3g} s")
    return [at_most("64 states on a LocalCluster, memory of a worker", max(peaks.values()), 500.0, "MB")]


def _peak() -> float:
    """Largest resident memory of this process, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def serial(console: Console) -> list[Bar]:
    """One step over stacked states, which have four observations each: bootstraps of one sampling."""
    bars, rng = [], np.random.default_rng(1)
    (first,), loop = begun(1)
    first.perform(first.melting())
    first.perform(first.tasks(loop.tables()[0], 1))
    sums = first.sampled.sums
    for count in GROWING:
        states, loop = begun(count)
        table = loop.tables()[0].columns
        for live in states:
            for _ in range(4):
                drawn = sums.drawn(rng.integers(0, len(sums.observables), len(sums.observables)))
                live.last = first.sampled
                live.remember(live.observe(drawn, table), drawn)
        took = seconds(partial(loop.update.step, loop.space, [live.view() for live in states]))
        bands = seconds(loop.bands)
        case = f"the step of Gauss-Newton over {count} states"
        bars.append(at_most(case, took, 1.0, "s") if count == 64 else figure(case, took, "s"))
        console.print(f"{count} states: step {took:.3g} s, error bands at the end {bands:.3g} s")
    return bars


def with_one_thread() -> None:
    """Start again with one thread of everything, as a worker has: libraries read that when they are loaded."""
    if os.environ.get("OPENMM_CPU_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | dict.fromkeys(THREADS, "1"))


def main(arguments: list[str] | None = None) -> None:
    """The command above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="tasks,fit,cluster,serial")
    parser.add_argument("--states", type=int, default=8)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    console, wanted, bars = Console(), options.cases.split(","), []
    if "tasks" in wanted:
        bars += tasks(options.states, console)
    if "fit" in wanted:
        bars += fit(options.states, console)
    if "cluster" in wanted:
        bars += cluster(console)
    if "serial" in wanted:
        bars += serial(console)
    show(bars, console)
    if options.json is not None:
        write_json(bars, options.json)


if __name__ == "__main__":
    with_one_thread()
    main()
