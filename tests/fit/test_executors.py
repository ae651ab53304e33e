"""Fits on executors: the same bits as in one process, and nothing lost with a worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import calls
import numpy as np
import pytest
import yaml
from lammps_run import environment
from own_simulations import LIQUID, liquid

import diffpair
from diffpair import DiffPairError, Workers
from diffpair.config import load_config, make_fit
from diffpair.fit.tasks.crew import Call
from diffpair.fit.tasks.spread import ATTEMPTS, Spread
from diffpair.targets import RdfTarget


def call(function, *arguments) -> Call:
    return Call("liquid", lambda progress: None, function, partial(tuple, arguments), 1)


@pytest.fixture(scope="module")
def two():
    with Workers(2, threads=1) as workers:
        yield workers


def test_a_killed_worker_costs_its_own_task_only(tmp_path, two):
    """Another process takes its place; the other tasks do not notice."""
    done = Spread(two).run([call(calls.number, 1), call(calls.killed_once, 2, str(tmp_path / "x")),
                            call(calls.number, 3), call(calls.number, 4)])  # fmt: skip
    assert done == [1, 2, 3, 4] and (tmp_path / "x").exists()


def test_a_hung_task_is_done_again(tmp_path, two):
    begin = time.perf_counter()
    assert Spread(two, timeout=6).run([call(calls.hangs_once, 7, str(tmp_path / "x")), call(calls.number, 1)]) == [7, 1]
    assert time.perf_counter() - begin < 40


def test_a_task_that_kills_every_worker_is_told(two):
    with pytest.raises(
        DiffPairError, match=rf"state 'liquid': its task failed {ATTEMPTS} times on the executor's .*Terminated.*resume"
    ):
        Spread(two).run([call(calls.always_killed)])


def test_a_worker_that_cannot_run_openmm_is_told(two):
    with pytest.raises(DiffPairError, match="ImportError: no OpenMM here: look at whether OpenMM and diffpair work"):
        Spread(two).run([call(calls.fails)])


def test_an_executor_that_hangs_or_has_ended_is_told():
    with (
        ThreadPoolExecutor(1) as threads,
        pytest.raises(DiffPairError, match="no task ended within task_timeout = 0.5"),
    ):
        Spread(threads, timeout=0.5).run([call(calls.hangs, 2.0)])
    with pytest.raises(DiffPairError, match="the executor takes no more tasks .*shutdown.* resume the fit with a new"):
        Spread(threads).run([call(calls.number, 1)])


def test_workers_share_the_cores(two):
    assert two.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
    workers = Workers(3)
    workers.shutdown(wait=False)
    assert workers.threads == max(1, len(os.sched_getaffinity(0)) // 3)
    for wrong in ((0, None), (2, 0)):
        with pytest.raises(DiffPairError, match="must be 1 or more"):
            Workers(*wrong)


@pytest.fixture(scope="module")
def several(target_file, tmp_path_factory):
    """A config of a short fit: more states than workers, one of them in two replicas, one held out."""
    target = {"rdf": {"pair": ["A", "A"], "file": str(target_file), "r_unit": "nm"}}

    def state(name: str, density: str, **more) -> dict:
        lattice = {"n": 256, "density": f"{density} nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}
        return {"name": name, "system": {"lattice": lattice}, "temperature": "120.27 K", "targets": [target], **more}

    document = {
        "potential": {"form": "bspline", "cutoff": "2.5 nm", "knots": 30},
        "states": [
            state("a", "0.845", replicas=2), state("b", "0.80"), state("apart", "0.83", held_out=True),
        ],
        "sampling": {"timestep": "5 fs", "equilibration": 20, "steps": 150, "every": 5, "melt": 200},
        "production": {"max_steps": 600, "noise_target": 0.5},
        "update": {"method": "gauss-newton", "iterations": 2},
        "start": "boltzmann-inversion",
    }  # fmt: skip
    path = tmp_path_factory.mktemp("several") / "fit.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def bits(folder) -> list:
    """All that a fit has found, without wall times."""
    history = json.loads((folder / "history.json").read_text())
    numbers = [{k: v for k, v in entry.items() if k != "seconds"} for entry in history]
    tables = [json.loads(file.read_text())["pairs"] for file in sorted((folder / "iterations").glob("*.json"))]
    summary = json.loads((folder / "summary.json").read_text())
    return [numbers, tables, summary["states"], summary["md_steps"]]


def fit(config, **how):
    return make_fit(load_config(config), **how)


def command(config, out, *more, launcher=()) -> list:
    """`diffpair fit` in a process of its own, with one thread of everything; returns what it has found."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENMM_CPU_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    run = subprocess.run(
        [*launcher, "-m", "diffpair", "fit", str(config), "--out", str(out), *more],
        capture_output=True, text=True, timeout=250, check=False, env=os.environ | threads,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return bits(out)


@pytest.fixture(scope="module")
def serial(several, tmp_path_factory):
    """What the fit finds in one process."""
    found = command(several, tmp_path_factory.mktemp("serial"), launcher=[sys.executable])
    assert len(found[0]) == 2 and found[0][0]["accepted"] and len(found[2]) == 3
    return found


def test_local_workers_find_the_same_bits(several, serial, tmp_path):
    assert command(several, tmp_path / "out", "--workers", "2", launcher=[sys.executable]) == serial


def test_mpi_finds_the_same_bits(several, serial, tmp_path):
    """`mpiexec -n 3 python -m mpi4py.futures -m diffpair fit`: one process leads, two sample."""
    pytest.importorskip("mpi4py", reason="mpi4py is missing: pip install mpi4py mpich")
    mpiexec = shutil.which("mpiexec", path=environment()["PATH"])
    if mpiexec is None:
        pytest.skip("mpiexec is missing: pip install mpich")
    launcher = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures"]
    assert command(several, tmp_path / "out", launcher=launcher) == serial


def test_dask_finds_the_same_bits(several, serial, tmp_path):
    """By the address of a scheduler with two workers, which are processes."""
    distributed = pytest.importorskip("distributed", reason="Dask is missing: pip install distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, worker_dashboard_address=None
    ) as cluster:
        found = command(several, tmp_path / "out", "--dask", cluster.scheduler_address, launcher=[sys.executable])
    assert found == serial


def test_workers_that_die_between_iterations_change_no_bit(several, serial, tmp_path, two):
    def kill(fit, entry):
        os.kill(two.submit(os.getpid).result(), signal.SIGKILL)

    fit(several, executor=two).run(tmp_path / "two", progress=False, callback=kill)
    assert bits(tmp_path / "two") == serial


def test_an_executor_is_checked_before_any_work(several):
    with pytest.raises(DiffPairError, match="executor must be a concurrent.futures.Executor, such as diffpair.Workers"):
        fit(several, executor=4)
    with ThreadPoolExecutor(1) as threads, pytest.raises(DiffPairError, match="task_timeout must be positive"):
        fit(several, executor=threads, task_timeout=0)


def test_a_simulation_of_this_process_goes_nowhere():
    state = diffpair.State.from_simulation(liquid(), targets=[diffpair.Rdf("A", "A", LIQUID, range=[0.75, 2.3])])
    with ThreadPoolExecutor(1) as threads, pytest.raises(DiffPairError, match="runs in a Simulation of this process"):
        diffpair.Fit(diffpair.Potential("bspline", cutoff=2.4), state, executor=threads)


def test_replicas_are_a_whole_number(several, tmp_path):
    document = yaml.safe_load(several.read_text())
    document["states"][0]["replicas"] = 0
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(DiffPairError, match=r"states\[0\].replicas"):
        load_config(tmp_path / "fit.yaml")
    target = RdfTarget(("A", "A"), np.arange(0.5, 1.4, 0.02), np.ones(45))
    with pytest.raises(DiffPairError, match="'soft': replicas must be a whole number of 1 or more, not 1.5"):
        diffpair.State.from_lattice("soft", 64, 0.8, {"A": 1.0}, 1.0, 120.0, [target], replicas=1.5)
