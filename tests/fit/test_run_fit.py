"""The whole loop on a small Lennard-Jones liquid."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_fits import kept_in

from diffpair.config import run_fit
from diffpair.errors import DiffPairError
from diffpair.fit import assemble
from diffpair.fit.record.progress import FitProgress
from diffpair.tables import PairTable, load_uncertainty, read_document
from diffpair.updates import GaussNewton

SHORT = {"timestep": "5 fs", "equilibration": 50, "steps": 200, "every": 10, "melt": 400}
BRIEF = {"max_steps": 1000, "noise_target": 0.1}


def test_lennard_jones_converges(make_config, out):
    """From Boltzmann inversion to a mean |g - target| of 0.01 or less in production, and to the potential itself."""
    summary = json.loads(run_fit(make_config(start="boltzmann-inversion"), out).read_text())
    (target,) = summary["states"][0]["targets"]
    assert target["mae"] <= 0.01
    assert 4 <= summary["iterations"] <= 7 and summary["stopped"]
    assert summary["md_steps"] <= 2000 + 7 * 2300
    history = json.loads((out / "history.json").read_text())
    assert history[-1]["mae"] < 0.35 * history[0]["mae"]
    table = PairTable.load(out / summary["files"]["potential"])
    r = np.linspace(0.98, 1.6, 60)
    difference = table.energy(r) - 4 * (r**-12 - r**-6)
    assert np.std(difference) < 0.15  # up to a constant, which g(r) of one state hardly fixes
    document = read_document(out / "potential.json")
    assert document["provenance"]["seed"] == 1 and len(document["provenance"]["config_sha256"]) == 64
    assert document["fit"]["targets"][0]["mae"] == target["mae"]
    assert (out / "fit.png").stat().st_size > 10_000
    assert PairTable.load(out / "iterations" / f"potential-{summary['iterations']:03d}.json").knots == 50
    band = load_uncertainty(out / "potential.json")
    assert band is not None and band.at(1.1) > band.at(2.3) > 0 == band.at(2.6)
    known = np.abs(table.energy(r) - 4 * (r**-12 - r**-6) + 4 * (2.5**-12 - 2.5**-6)) < 3 * band.at(r)
    assert known.mean() > 0.9
    assert all(value > 5 for value in summary["independent_frames"].values())


@pytest.mark.parametrize("start", ["auto", "boltzmann-inversion"])
def test_interrupted_fit_goes_on(start, make_config, out, monkeypatch, capsys):
    """Stopped in the third iteration, resumed: earlier iterations stay as they were, the count of steps goes on, and
    the next step is made of the same Jacobian, that of theory in it included."""
    loops, jacobians = [], []

    class Watched(assemble.FitLoop):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            loops.append(self)

    class Interrupted(FitProgress):
        def iteration(self, entry, of):
            if entry.number == 3:
                raise KeyboardInterrupt

        def begin(self, what, steps):
            if what.startswith("iteration 3/"):
                memory = loops[-1].states[0].memory
                assert memory.theory is not None
                jacobians.append(memory.jacobian())

    monkeypatch.setattr(assemble, "FitLoop", Watched)

    sampling = {**SHORT, "adaptive": False}
    config = make_config(
        sampling=sampling, production=BRIEF, update={"method": "gauss-newton", "iterations": 4}, start=start
    )
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, out, progress=Interrupted())
    assert ("start: hypernetted chain" in capsys.readouterr().out) == (start == "auto")
    before = json.loads((out / "history.json").read_text())
    interrupted = kept_in(out / "checkpoint.pt")
    assert [h["number"] for h in before] == [1, 2]
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, out, resume=True, progress=Interrupted())
    assert "start:" not in capsys.readouterr().out
    np.testing.assert_array_equal(*jacobians)
    summary = json.loads(run_fit(config, out, resume=True).read_text())
    after = json.loads((out / "history.json").read_text())
    assert after[:2] == before and [h["number"] for h in after] == [1, 2, 3, 4]
    assert summary["md_steps"] == 400 + 4 * 250
    assert interrupted["md_seconds"] > 0
    assert interrupted["md_seconds"] < summary["md_seconds"] < summary["wall_seconds"]
    other = make_config(sampling=SHORT, production=BRIEF, seed=2)
    with pytest.raises(DiffPairError, match=r"checkpoint\.pt belongs to another fit"):
        run_fit(other, out, resume=True)


def test_nothing_to_resume(make_config, out):
    with pytest.raises(DiffPairError, match="holds no fit to resume"):
        run_fit(make_config(), out, resume=True)


class Reckless(GaussNewton):
    """After two good steps, every further one makes the particles fall into each other."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def step(self, space, states):
        self.count += 1
        step = super().step(space, states)
        if self.count > 2:
            space.set(-20.0 * np.abs(space.get()))
        return step


def test_fit_that_blows_up_keeps_the_last_good_potential(make_config, out, monkeypatch):
    monkeypatch.setattr(assemble, "make_update", lambda setup: Reckless())
    config = make_config(
        sampling={**SHORT, "steps": 600}, production=BRIEF, update={"method": "gauss-newton", "iterations": 12}
    )
    with pytest.raises(DiffPairError, match=r"stopped after 5 failures in a row.*potential\.json holds the last good"):
        run_fit(config, out)
    history = json.loads((out / "history.json").read_text())
    assert [h["accepted"] for h in history] == [True] * 3 + [False] * 5
    assert all(h["note"] for h in history[3:])
    good = min(range(3), key=lambda i: history[i]["mae"])
    sampled = out / "start.json" if good == 0 else out / "iterations" / f"potential-{good:03d}.json"
    assert PairTable.load(out / "potential.json") == PairTable.load(sampled)


def test_adjoint_gradient_with_adam_descends(make_config, out):
    config = make_config(
        sampling={**SHORT, "steps": 400, "equilibration": 100},
        production=BRIEF,
        gradient={"method": "adjoint", "segments": 8, "steps": 50, "every": 5},
        update={"method": "adam", "iterations": 14, "learning_rate": 0.1},
        start="boltzmann-inversion",
    )
    run_fit(config, out)
    maes = [h["mae"] for h in json.loads((out / "history.json").read_text())]
    assert np.mean(maes[-2:]) < 0.75 * maes[0]
    # steps of a fixed length swing around the best potential: where the last one ends is a matter of chance
    assert np.mean(np.sort(maes)[:3]) < 0.6 * maes[0]


def test_lennard_jones_form_learns_its_two_numbers(make_config, out):
    config = make_config(
        potential={"form": "lj", "cutoff": "2.5 nm", "sigma": "0.96 nm", "epsilon": "1.3 kJ/mol"},
        sampling={**SHORT, "steps": 5000},
        production=BRIEF,
        update={"method": "gauss-newton", "iterations": 8},
    )
    run_fit(config, out)
    table = PairTable.load(out / "potential.json")
    r = np.linspace(0.9, 2.0, 500)
    u = table.energy(r)
    assert float(r[np.argmax(u < 0)]) == pytest.approx(1.0, abs=0.01)
    assert -u.min() == pytest.approx(1.0, abs=0.1)
