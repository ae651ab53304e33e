"""diffpair.Fit in a script: run, step, save, resume; what it writes and prints; and the same numbers as a config."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from own_simulations import LIQUID, TEMPERATURE

import diffpair
from diffpair import Adjoint, DiffPairError, Fit, GaussNewton, PairTable, Potential, Production, Rdf, Sampling, State
from diffpair.config import load_config, make_fit, run_fit

SHORT = Sampling(timestep=0.005, equilibration=20, steps=200, every=10, melt=300, adaptive=False)
BRIEF = Production(max_steps=400, noise_target=0.5)
POTENTIAL = Potential("bspline", cutoff=2.4, knots=30)


def lattice(name="liquid", **options):
    target = Rdf("A", "A", LIQUID, range=[0.75, 2.5])
    given = {"density": 0.845, "types": {"A": 1.0}, "masses": 1.0, "temperature": TEMPERATURE, "targets": [target]}
    return State.from_lattice(name, n=108, **(given | options))


def fit_of(iterations=2, states=None, **options):
    update = GaussNewton(iterations=iterations, stop_at_noise=False)
    chosen = {"sampling": SHORT, "production": BRIEF, "update": update, "progress": False}
    return Fit(POTENTIAL, lattice() if states is None else states, **(chosen | options))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A fit that has run into a folder, its result, and the folder."""
    out = tmp_path_factory.mktemp("fit") / "out"
    fit = fit_of()
    return fit, fit.run(out), out


def document(iterations=2):
    return {
        "potential": {"form": "bspline", "cutoff": "24 angstrom", "knots": 30},
        "states": [
            {
                "name": "liquid",
                "system": {"lattice": {"n": 108, "density": "0.845 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}},
                "temperature": "120.27 K",
                "targets": [{"rdf": {"pair": ["A", "A"], "file": str(LIQUID), "range": ["0.75 nm", "2.5 nm"]}}],
            }
        ],
        "sampling": {
            "timestep": "5 fs",
            "equilibration": 20,
            "steps": 200,
            "every": 10,
            "melt": 300,
            "adaptive": False,
        },
        "production": {"max_steps": 400, "noise_target": 0.5},
        "update": {"gauss-newton": {"iterations": iterations, "stop_at_noise": False}},
    }


def config(folder, iterations=2):
    (folder / "fit.yaml").write_text(yaml.safe_dump(document(iterations)))
    return load_config(folder / "fit.yaml")


def numbers(summary):
    """What depends neither on the clock nor on a folder: `model` tells of files."""
    return {key: value for key, value in summary.items() if not key.endswith("seconds") and key != "model"}


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_config_gives_the_same_fit_to_the_digit_and_the_same_files(ran, tmp_path):
    _, result, out = ran
    summary = json.loads(run_fit(config(tmp_path), tmp_path / "out").read_text())
    assert PairTable.load(tmp_path / "out/potential.json") == result.table == PairTable.load(out / "potential.json")
    assert PairTable.load(tmp_path / "out/start.json") == result.start
    assert numbers(summary) == numbers(json.loads((out / "summary.json").read_text()))
    assert numbers(json.loads(json.dumps(result.summary))) == numbers(summary)
    assert names(out) == names(tmp_path / "out")
    assert make_fit(config(tmp_path)).settings == fit_of().settings


def test_steps_in_a_loop_are_a_run(ran, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, result, _ = ran
    fit = fit_of()
    assert fit.history == [] and fit.tables == {} and not fit.stopped
    with pytest.raises(DiffPairError, match="no table before its first step"):
        fit.table  # noqa: B018
    entries = []
    while len(entries) < 2:
        entries.append(fit.step())
    assert [entry.mae for entry in entries] == [entry.mae for entry in result.history]
    assert fit.history == entries and fit.table == fit.tables["liquid"] == result.table
    finished = fit.run()
    assert finished.table == result.table and numbers(finished.summary) == numbers(result.summary)
    assert not list(tmp_path.iterdir()), "no folder was given"


def test_steps_first_and_a_folder_later(ran, tmp_path):
    _, result, out = ran
    fit = fit_of()
    fit.step()
    assert fit.run(tmp_path / "out").table == result.table
    assert names(tmp_path / "out") == names(out)
    for name in ("start.json", "iterations/potential-001.json", "iterations/potential-002.json"):
        assert PairTable.load(tmp_path / "out" / name) == PairTable.load(out / name)


def test_saved_and_resumed_as_the_command_does(ran, tmp_path):
    _, result, _ = ran
    fit = fit_of()
    fit.step()
    fit.save(tmp_path / "saved")
    assert PairTable.load(tmp_path / "saved/potential.json") == fit.table
    resumed = Fit.resume(
        tmp_path / "saved", POTENTIAL, lattice(), sampling=SHORT, production=BRIEF, progress=False,
        update=GaussNewton(iterations=2, stop_at_noise=False),
    )  # fmt: skip
    assert len(resumed.history) == 1 and resumed.table == fit.table
    ended = resumed.run(tmp_path / "saved")
    assert not (tmp_path / "saved/previous-1").exists(), "the fit goes on in its own folder"
    assert ended.start == result.start

    run_fit(config(tmp_path, 1), tmp_path / "command")
    run_fit(config(tmp_path, 2), tmp_path / "command", resume=True)
    assert PairTable.load(tmp_path / "command/potential.json") == ended.table
    twice = fit_of(1)
    twice.run(tmp_path / "python")
    assert fit_of(2).run(tmp_path / "python", resume=True).table == ended.table


def test_resuming_what_is_not_there(tmp_path):
    with pytest.raises(DiffPairError, match="holds no fit to resume: .*checkpoint.pt does not exist"):
        Fit.resume(tmp_path, POTENTIAL, lattice(), sampling=SHORT)
    with pytest.raises(DiffPairError, match="a fit resumes from a folder: give the one that holds its checkpoint"):
        fit_of().run(resume=True)
    fit = fit_of()
    fit.step()
    fit.save(tmp_path)
    with pytest.raises(DiffPairError, match="the fit has begun already; a new Fit resumes"):
        fit.run(tmp_path, resume=True)
    with pytest.raises(DiffPairError, match=r"checkpoint\.pt belongs to another fit"):
        fit_of(states=lattice(temperature=130.0)).run(tmp_path, resume=True)


def test_callbacks_see_every_iteration_and_may_stop(capsys):
    fit, seen = fit_of(iterations=5), []

    def look(given, entry):
        assert given is fit and entry is given.history[-1]
        seen.append((entry.number, given.table))
        if entry.number == 2:
            given.stop("two are enough")

    result = fit.run(callback=look)
    assert [number for number, _ in seen] == [1, 2] and seen[0][1] != seen[1][1]
    assert result.summary["stopped"] == fit.stopped == "two are enough" and result.table == seen[1][1]
    assert fit.callbacks == []
    assert capsys.readouterr().out == "", "progress=False says nothing"


def test_callback_that_fails_is_not_hidden():
    def bad(fit, entry):
        raise ZeroDivisionError

    fit = fit_of()
    with pytest.raises(ZeroDivisionError):
        fit.run(callback=bad)
    assert fit.callbacks == [] and len(fit.history) == 1
    assert fit.run().summary["iterations"] == 2, "and the fit goes on"


def test_stop_before_run_is_heard():
    fit = fit_of(iterations=5)
    fit.step()
    fit.stop("by hand")
    assert fit.run().summary["stopped"] == "by hand"


def test_progress_is_the_commands(capsys):
    fit_of(progress=True).run()
    said = capsys.readouterr().out
    assert "iteration   2/2  mean |g - target| " in said and "state liquid, g of A-A: mean |g - target| =" in said


def test_what_objects_print(ran, tmp_path):
    fit, result, _ = ran
    assert repr(fit).splitlines() == [
        "Fit of a bspline potential, cutoff 2.4 nm, by gauss-newton with gradient fluctuation: 2 of 2 iterations, "
        f"mean |g - target| {min(entry.mae for entry in fit.history):.4f}",
        "  state liquid: 108 particles, 0.845 per nm^3, 120.27 K",
    ]
    (rdf,) = result.production[0].rdfs
    assert repr(result).splitlines() == [
        f"FitResult after 2 iterations, {result.summary['md_steps']} MD steps",
        f"  state liquid, g of A-A: mean |g - target| = {rdf.mae:.4f} in production (noise {rdf.mae_noise:.4f}, "
        f"{rdf.independent:.0f} independent frames)",
    ]
    assert result._repr_png_().startswith(b"\x89PNG")
    result.plot(tmp_path / "fit.png")
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")
    assert result.uncertainty is not None and result.uncertainty.at(1.0) >= 0
    assert repr(lattice(held_out=True)) == "state liquid: 108 particles, 0.845 per nm^3, 120.27 K, held out"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: fit_of(states=[]), "states: a fit needs one or more"),
        (lambda: fit_of(states=[lattice(), lattice()]), "two states are named 'liquid'"),
        (lambda: fit_of(states=lattice(held_out=True)), "every state is held out"),
        (lambda: fit_of(states=lattice(targets=[])), "no state that is fitted has an rdf"),
        (lambda: fit_of(sampling=Sampling()), "state 'liquid' needs a time step: give sampling=Sampling"),
        (lambda: fit_of(update="adm"), "Fit: update: method: 'adm' is not available, did you mean 'adam'"),
        (lambda: fit_of(gradient=Adjoint(segments=2)), "from 4 or more segments, not from 2"),
        (
            lambda: fit_of(production=Production(max_steps=50)).run(),
            "max_steps = 50 with a frame every 20 steps is too",
        ),
        (lambda: Fit(Potential("bspline", cutoff=3.0), lattice(), sampling=SHORT), "cutoff of 3 nm is beyond half the"),
        (lambda: fit_of(states=["liquid"]), "a state is made by diffpair.State, not 'liquid'"),
        (
            lambda: Fit("bspline", lattice()),
            "Fit: potential: must hold the keys form and cutoff, not 'bspline'",
        ),
    ],
)
def test_bad_input_is_one_sentence(make, said):
    with pytest.raises(DiffPairError, match="^[^\n]*$") as caught:
        make()
    assert said in str(caught.value)


def test_names_at_the_top_are_what_they_say():
    assert set(diffpair.__all__) <= set(dir(diffpair))
    assert all(getattr(diffpair, name) is not None for name in diffpair.__all__)
    assert Path(diffpair.__file__).exists() and np.isfinite(TEMPERATURE)
