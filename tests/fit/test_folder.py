"""Which files a fit writes, and what it does with those of an earlier one."""

from __future__ import annotations

import json
import shutil
import warnings

import numpy as np
import pytest
import torch
import yaml
from prepared import prepared

from diffpair.config import FitConfig, build_states, load_config, run_fit
from diffpair.errors import DiffPairError
from diffpair.fit.record.folder import set_aside
from diffpair.fit.record.provenance import files_of, fingerprint
from diffpair.model import Conditions, Run, read_model
from diffpair.systems.nearest_image import nearest_image
from diffpair.tables import PairTable

SHORT = {"timestep": "5 fs", "equilibration": 20, "steps": 100, "every": 10, "melt": 200}
BRIEF = {"max_steps": 200, "noise_target": 0.5}


def digest(config: FitConfig) -> str:
    return fingerprint(config.settings, build_states(config))


def test_files_count_by_their_content(make_config, target_file, tmp_path):
    config = make_config()
    assert files_of(config.settings, build_states(config)) == {target_file.resolve()}
    document = yaml.safe_load(config.text)
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "copy.csv"
    shutil.copy(target_file, copy)
    document["states"][0]["targets"][0]["rdf"]["file"] = "../elsewhere/copy.csv"
    (tmp_path / "elsewhere" / "other.yaml").write_text(yaml.safe_dump(document))
    moved = load_config(tmp_path / "elsewhere" / "other.yaml")
    assert digest(moved) == digest(config)
    copy.write_text(copy.read_text().replace("1.0", "1.1", 1))
    assert digest(moved) != digest(config)
    assert digest(make_config(production=BRIEF)) == digest(config) != digest(make_config(seed=2))


def test_results_of_an_earlier_fit_are_set_aside(make_config, out):
    """Finished or not; a file of the user's stays, and the new folder holds nothing old."""
    longer = make_config(sampling=SHORT, production=BRIEF, update={"method": "gauss-newton", "iterations": 3})
    run_fit(longer, out)
    (out / "notes.txt").write_text("mine")
    model = {"beads.pdb", "system.xml", "forcefield.xml"}
    assert model <= {path.name for path in out.iterdir()}
    run_fit(make_config(sampling=SHORT, production=BRIEF, update={"method": "gauss-newton", "iterations": 1}), out)
    old = out / "previous-1"
    assert [path.name for path in (out / "iterations").iterdir()] == ["potential-001.json"]
    assert len(list((old / "iterations").iterdir())) == 3 and len(json.loads((old / "history.json").read_text())) == 3
    assert model <= {path.name for path in old.iterdir()} and (old / "summary.json").is_file()
    assert (out / "notes.txt").is_file()
    (out / "summary.json").unlink()
    assert "unfinished fit was moved to" in set_aside(out, {(out / "potential.json").resolve()})
    assert (out / "potential.json").is_file() and (out / "previous-2" / "potential.json").is_file()
    assert not (out / "checkpoint.pt").exists()
    run_fit(longer, old, resume=True)


def test_production_runs_from_the_folder_of_a_fit(make_config, out, tmp_path):
    """From where the fit's own production ended: g(r) and energy of a run are those of the learned table."""
    run_fit(make_config(sampling=SHORT, production=BRIEF, update={"method": "gauss-newton", "iterations": 1}), out)
    model = read_model(out)
    (entry,) = model.states
    conditions = Conditions(entry.name, entry.temperature, entry.timestep, entry.friction, every=10)
    run = Run.begin(model, conditions, tmp_path / "run", "Reference")
    table = PairTable.load(out / "potential.json")
    state = run.simulation.context.getState(positions=True, energy=True)
    x, box = state.getPositions(asNumpy=True)._value, state.getPeriodicBoxVectors(asNumpy=True)._value
    i, j = np.triu_indices(len(x), 1)
    r = np.linalg.norm(nearest_image(x[i] - x[j], box), axis=1)
    assert state.getPotentialEnergy()._value == pytest.approx(table.energy(r[r < table.cutoff]).sum(), rel=1e-6)
    assert run.advance(20) == tmp_path / "run" / "last.pdb" and run.simulation.currentStep == 20


class Scaled(torch.nn.Module):
    """sqrt(scale) times Lennard-Jones."""

    def __init__(self) -> None:
        super().__init__()
        self.sigma = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
        self.frozen = torch.nn.Parameter(torch.tensor(4.0, dtype=torch.float64), requires_grad=False)

    def forward(self, r: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        x = (self.sigma / r) ** 6
        return self.frozen * torch.sqrt(scale) * (x * x - x)


@pytest.fixture
def two_states(make_config, tmp_path):
    """make(scale): a fitted state at scale 1 and a held-out one at another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Scaled()).save(str(tmp_path / "scaled.pt"))
    state = yaml.safe_load(make_config().text)["states"][0]

    def make(scale):
        return make_config(
            potential={"module": str(tmp_path / "scaled.pt"), "cutoff": "2.5 nm"},
            states=[
                {**state, "parameters": {"scale": 1.0}},
                {**state, "name": "a/b", "held_out": True, "parameters": {"scale": scale}},
            ],
            sampling=SHORT,
            production=BRIEF,
            update={"method": "gauss-newton", "iterations": 1},
        )

    return make


def test_held_out_state_has_a_potential_of_its_own(two_states, out):
    config = two_states(1.21)
    assert prepared(config).space.size == 1  # what the module has frozen is not learned
    summary = json.loads(run_fit(config, out).read_text())
    assert summary["files"]["potentials"] == {"liquid": "potential.json", "a/b": "potential-a_b.json"}
    fitted, held_out = (PairTable.load(out / name) for name in summary["files"]["potentials"].values())
    assert held_out.global_parameters == {"scale": 1.21}
    assert held_out.coefficients[0, 5] == pytest.approx(1.1 * fitted.coefficients[0, 5])
    assert len(list((out / "iterations").iterdir())) == 1


def test_held_out_state_without_a_potential_is_refused_before_the_fit(two_states, tmp_path):
    with pytest.raises(DiffPairError, match="is nan at r ="):
        run_fit(two_states(-1.0), tmp_path / "new")
    assert not (tmp_path / "new").exists()
