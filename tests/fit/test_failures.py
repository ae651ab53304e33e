"""What a fit keeps when something goes wrong."""

from __future__ import annotations

import json
import warnings

import pytest
import torch
import yaml
from short_disk import files_of_at_most
from small_fits import kept_in

from diffpair.config import run_fit
from diffpair.errors import DiffPairError
from diffpair.fit.judge.steady_noise import steady_noise
from diffpair.fit.record.checkpoint import BEFORE, CHECKPOINT, load_checkpoint, save_checkpoint
from diffpair.fit.record.iteration import Iteration
from diffpair.fit.record.progress import FitProgress
from diffpair.tables import PairTable, read_document

SHORT = {"timestep": "5 fs", "equilibration": 20, "steps": 100, "every": 10, "melt": 200}
BRIEF = {"max_steps": 200, "noise_target": 0.5}
# not the target's own numbers: the gradient there is noise alone, and first-order updates take no step along noise
LJ = {"form": "lj", "cutoff": "2.5 nm", "sigma": "0.95 nm", "epsilon": "0.5 kJ/mol"}
MLP = {"form": "mlp", "cutoff": "2.5 nm", "hidden": [8, 8]}


def test_a_package_that_the_figures_need_is_missed_before_any_work(make_config, out, monkeypatch):
    monkeypatch.setattr("diffpair.fit.session._DRAWING", ("no_such_plots",))
    with pytest.raises(
        DiffPairError, match="the figures of a fit need no_such_plots, which is not installed: pip inst"
    ):
        run_fit(make_config(sampling=SHORT), out)
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.parametrize(("potential", "method"), [(LJ, "sgd"), (MLP, "adam"), (MLP, "sgd")])
def test_step_that_is_far_too_long_is_undone(potential, method, make_config, out):
    config = make_config(
        potential=potential,
        sampling=SHORT,
        production=BRIEF,
        update={"method": method, "iterations": 2, "learning_rate": 1e308},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        run_fit(config, out)
    history = json.loads((out / "history.json").read_text())
    assert [h["step"] for h in history] == [0.0, 0.0]
    assert all("the step was far too long and is undone" in h["note"] for h in history)
    assert PairTable.load(out / "potential.json") == PairTable.load(out / "start.json")


def test_iteration_that_cannot_be_saved_names_the_last_good_potential(make_config, out):
    class Blocking(FitProgress):
        def iteration(self, entry, of):
            if entry.number == 2:
                (out / "iterations" / "potential-002.json").mkdir()

    config = make_config(sampling=SHORT, production=BRIEF, update={"method": "gauss-newton", "iterations": 3})
    with pytest.raises(DiffPairError, match=r"iteration 2: .*002\.json: cannot be written.*holds the last good poten"):
        run_fit(config, out, progress=Blocking())
    assert PairTable.load(out / "potential.json").knots == 50


def test_potential_is_there_before_production(make_config, out):
    class Interrupted(FitProgress):
        def begin(self, what, steps):
            if what.startswith("production"):
                raise KeyboardInterrupt

    config = make_config(sampling=SHORT, production=BRIEF, update={"method": "gauss-newton", "iterations": 2})
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, out, progress=Interrupted())
    # the last step; where noise has rolled that back, the best iteration, which sampled the start
    stepped = json.loads((out / "history.json").read_text())[-1]["accepted"]
    expected = out / "iterations" / "potential-002.json" if stepped else out / "start.json"
    assert PairTable.load(out / "potential.json") == PairTable.load(expected)


def test_explosion_in_production_keeps_the_potential(make_config, out):
    """A held-out state so hot that its particles pass through each other."""
    state = yaml.safe_load(make_config().text)["states"][0]
    hot = {**state, "name": "hot", "held_out": True, "temperature": "1e12 K"}
    config = make_config(
        states=[state, hot], sampling=SHORT, production=BRIEF, update={"method": "gauss-newton", "iterations": 2}
    )
    with pytest.raises(DiffPairError, match=r"'hot' exploded.*potential\.json holds the learned potential"):
        run_fit(config, out)
    document = read_document(out / "potential.json")
    assert "unstable in production" in document["fit"]["notes"][0] and document["provenance"]["iterations"] == 2
    assert not (out / "summary.json").exists()


def test_start_that_explodes_while_melting_is_named(make_config, out):
    said = r"beyond its start: .*exploded.*the time step of 2000 fs is too long: with .*start\.json holds the potential"
    with pytest.raises(DiffPairError, match=said):
        run_fit(make_config(sampling={**SHORT, "timestep": "2 ps"}), out)
    assert PairTable.load(out / "start.json").knots == 50


def test_checkpoint_survives_a_full_disk(tmp_path):
    save_checkpoint(tmp_path, {"number": 1})
    with files_of_at_most(10_000), pytest.raises(DiffPairError, match=r"checkpoint\.pt: cannot be written"):
        save_checkpoint(tmp_path, {"number": 2, "x": torch.zeros(10_000)})
    assert kept_in(tmp_path / CHECKPOINT)["number"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [BEFORE, CHECKPOINT]
    with pytest.raises(DiffPairError, match=r"checkpoint\.pt is not a checkpoint of a fit"):  # it has no config
        load_checkpoint(tmp_path, "hash")


def test_refused_config_leaves_no_folder(make_config, tmp_path):
    with pytest.raises(DiffPairError, match="too short"):
        run_fit(make_config(production={"max_steps": 50}), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_drift_does_not_count_as_noise():
    """A fluid that falls apart has large block errors; they must not make its residual acceptable."""
    entries = [Iteration(k, 0.01, noise, True, 0.1, 1.0, 0, 0.0) for k, noise in enumerate((0.002, 0.003, 0.002), 1)]
    rejected = Iteration(4, 0.5, 0.1, False, 0.1, 1.0, 0, 0.0)
    assert steady_noise(0.02, [*entries, rejected]) == 0.002
    assert steady_noise(0.001, entries) == 0.001
    assert steady_noise(0.02, []) == 0.02
    assert steady_noise(float("nan"), entries) == 0.0
