"""docs/guide/production.md: its script builds a larger box that runs, and it names every option and file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import openmm as mm
import pytest
from openmm import unit
from tests.support.models import CUTOFF, ran, table

from diffpair.cli.run import command
from diffpair.model import write_model

PAGE = (Path(__file__).parents[2] / "docs/guide/production.md").read_text()


def test_the_script_of_the_page(tmp_path, monkeypatch):
    """Energies and forces are those of the box that it copies, and ten times as many molecules run."""
    out = tmp_path / "model"
    out.mkdir()
    table().save(out / "potential.json")
    (out / "summary.json").write_text(json.dumps({"model": write_model(out, [ran(tmp_path)], print)}))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    lines = [line for line in code.splitlines() if line and not line.startswith(("import", "from"))]
    assert "nonbondedCutoff=1.25 *" in code and len(lines) <= 8
    monkeypatch.chdir(tmp_path)
    made: dict = {}
    exec(code.replace("1.25 *", f"{CUTOFF} *"), made)
    positions = np.array(made["box"].getPositions().value_in_unit(unit.nanometer))
    reference = mm.Platform.getPlatformByName("Reference")
    small = mm.Context(
        mm.XmlSerializer.deserialize((out / "system.xml").read_text()), mm.VerletIntegrator(0.001), reference
    )
    small.setPositions(made["pdb"].positions)
    large = mm.Context(made["system"], mm.LangevinMiddleIntegrator(300, 1, 0.005), reference)
    large.setPositions(positions)
    one, ten = (context.getState(energy=True).getPotentialEnergy()._value for context in (small, large))
    assert len(positions) == 500 and abs(one) > 100 and ten == pytest.approx(10 * one, rel=1e-6)
    large.getIntegrator().step(5)
    assert np.isfinite(large.getState(energy=True).getPotentialEnergy()._value)


def test_the_page_names_everything():
    for option in command.params:
        if option.opts[0].startswith("--"):
            assert f"`{option.opts[0]}`" in PAGE, option.opts[0]
    for name in ("trajectory.dcd", "log.csv", "last.pdb", "state.xml", "start.pdb", "system.xml", "run.json"):
        assert f"`{name}`" in PAGE
