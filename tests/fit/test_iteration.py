"""What follows from the record of the iterations, and what goes into a checkpoint and comes back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_fits import kept_in

from diffpair.config import make_fit, run_fit
from diffpair.errors import DiffPairError
from diffpair.fit import assemble
from diffpair.fit.record.checkpoint import CHECKPOINT
from diffpair.fit.record.iteration import HISTORY, Iteration, accepted, best_of, failures, write_history
from diffpair.fit.record.progress import FitProgress
from diffpair.tables import PairTable
from diffpair.updates import GaussNewton

SHORT = {"timestep": "5 fs", "equilibration": 20, "steps": 100, "every": 10, "melt": 200}
BRIEF = {"max_steps": 200, "noise_target": 0.5}


def history_of(*maes):
    """Of these mean |g - target|; None: not accepted."""
    return [
        Iteration(k, 0.001 if mae is None else mae, accepted=mae is not None, theta=np.full(2, float(k)))
        for k, mae in enumerate(maes, 1)
    ]


@pytest.mark.parametrize(
    ("maes", "best", "failed"),
    [
        ((), None, 0),
        ((0.3,), 1, 0),
        ((0.3, 0.1, 0.1), 2, 0),  # the first of several that are as good
        ((0.3, 0.1, None, 0.2, None, None), 2, 2),  # one that was rolled back is never the best
        ((None, None), None, 2),
    ],
)
def test_what_follows_from_the_record(maes, best, failed):
    history = history_of(*maes)
    found = best_of(history)
    assert (found and found.number) == best and failures(history) == failed
    assert [entry.number for entry in accepted(history)] == [k for k, mae in enumerate(maes, 1) if mae is not None]


def test_history_tells_numbers_and_no_parameters(tmp_path):
    write_history(tmp_path, history_of(0.3, None))
    rows = json.loads((tmp_path / HISTORY).read_text())
    assert [row["number"] for row in rows] == [1, 2] and all("theta" not in row for row in rows)
    assert rows[0]["chi"] is None and list(rows[0])[:4] == ["number", "mae", "noise", "accepted"]


class Averaging(GaussNewton):
    """An update that wants the mean of its late iterates."""

    averages_late = True


def test_late_iterates_are_those_that_were_sampled(make_config, out, monkeypatch):
    """Of nine iterations the last two: the tables that the eighth and the ninth sampled, also after an interruption."""
    loops = []

    class Watched(assemble.FitLoop):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            loops.append(self)

    class Interrupted(FitProgress):
        def begin(self, what, steps):
            if what.startswith("iteration 9/"):
                raise KeyboardInterrupt

    monkeypatch.setattr(assemble, "FitLoop", Watched)
    monkeypatch.setattr(assemble, "make_update", lambda setup: Averaging())
    update = {"method": "gauss-newton", "iterations": 9, "stop_at_noise": False}
    config = make_config(sampling={**SHORT, "adaptive": False}, production=BRIEF, update=update)
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, out, progress=Interrupted())
    run_fit(config, out, resume=True)
    good = accepted(loops[1].history)
    assert [entry.number for entry in good[:-1]] == [entry.number for entry in accepted(loops[0].history)]
    sampled = [PairTable.load(out / "iterations" / f"potential-{entry.number - 1:03d}.json") for entry in good[-2:]]
    assert good[-1].number == 9
    found = PairTable.load(out / "potential.json").coefficients
    np.testing.assert_allclose(
        found, np.mean([table.coefficients for table in sampled], axis=0), rtol=1e-12, atol=1e-12
    )


def test_what_was_sampled_counts_also_where_its_step_fails(make_config, out, monkeypatch):
    class Failing(GaussNewton):
        def step(self, space, states):
            raise DiffPairError("the step of the fit is not finite")

    monkeypatch.setattr(assemble, "make_update", lambda setup: Failing())
    config = make_config(sampling=SHORT, production=BRIEF, update={"method": "gauss-newton", "iterations": 3})
    said = r"stopped in iteration 1: the step .* holds the last good potential, of iteration 1 with a mean"
    with pytest.raises(DiffPairError, match=said):
        run_fit(config, out)
    assert PairTable.load(out / "potential.json") == PairTable.load(out / "start.json")


def test_a_fit_may_be_saved_before_its_first_iteration(make_config, out):
    """It is melted by then, and goes on from there without melting again."""
    config = make_config(
        sampling={**SHORT, "adaptive": False}, production=BRIEF, update={"method": "gauss-newton", "iterations": 2}
    )
    fit = make_fit(config)
    fit.save(out)
    assert json.loads((out / HISTORY).read_text()) == []
    melted = kept_in(out / CHECKPOINT)
    assert melted["md_steps"] == SHORT["melt"] and len(melted["states"]) == 1
    other = make_fit(config)
    other.run(out, resume=True, progress=False)
    assert [entry.number for entry in other.history] == [1, 2]
    assert other.history[0].md_steps == SHORT["melt"] + SHORT["equilibration"] + SHORT["steps"]
