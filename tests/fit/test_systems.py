"""Fits of what is no cube of beads: molecules with bonds and exclusions, boxes that are not cubic."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openmm as mm
import pytest
import trimers
import yaml

from diffpair.config import build_states, load_config, make_fit, run_fit
from diffpair.fit.audit import run_audit
from diffpair.trajectories.rdf import PairChoice, rdf_of_trajectory, write_rdf

LIQUID = Path(__file__).parents[2] / "examples" / "lennard_jones" / "rdf.csv"


@pytest.fixture(scope="module")
def molecules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trimers")
    trimers.write_files(folder, frames=150)
    return folder


def config_of(folder, choice, **sections):
    """A fit of the trimers' own g(r), counted as `choice` says; with other sections, if any."""
    rdf = rdf_of_trajectory(
        [folder / "run.dcd"], topology=folder / "start.pdb", first="all", second=None,
        r_min=0.3, r_max=1.5, bin_width=0.02, choice=choice,
    )  # fmt: skip
    write_rdf(folder / f"{choice.kind}.csv", rdf, [rdf.pairs])
    document = {
        "potential": {"form": "bspline", "cutoff": "1.2 nm", "knots": 24},
        "states": [
            {
                "name": "trimers",
                "system": {"topology": "start.pdb", "xml": "system.xml", "types": {"TRI": "M"}},
                "temperature": "300 K",
                "targets": [{"rdf": {"pair": ["M", "M"], "file": f"{choice.kind}.csv"}}],
            }
        ],
        "sampling": {"timestep": "15 fs", "equilibration": 150, "steps": 1500, "every": 15, "adaptive": False},
        "production": {"max_steps": 4500},
        "update": {"method": "gauss-newton", "iterations": 5},
    }
    (folder / "fit.yaml").write_text(yaml.safe_dump(document | sections))
    return load_config(folder / "fit.yaml")


def test_molecules_are_fitted_to_their_own_target(molecules, out, recwarn):
    """Target and fit count the same pairs: those that the bonds of topology and System leave."""
    summary = json.loads(run_fit(config_of(molecules, PairChoice()), out).read_text())
    (target,) = summary["states"][0]["targets"]
    assert target["mae"] < 0.06  # 0.01 to 0.04 with so short samplings; a target that counts other pairs is 2.9 off
    assert not [warning for warning in recwarn if "excluded" in str(warning.message)]


def test_molecules_are_fitted_by_segments_that_know_their_bonds(molecules, out):
    """The whole way in a System with bonds; that segments have them right, tests/gradients see."""
    gradient = {"method": "adjoint", "segments": 8, "steps": 30, "every": 10, "modes": 24}
    config = config_of(molecules, PairChoice(), gradient=gradient)
    summary = json.loads(run_fit(config, out).read_text())
    assert summary["gradient"]["method"] == "adjoint"
    (target,) = summary["states"][0]["targets"]
    assert target["mae"] < 0.06


def test_audit_of_molecules(molecules, out, capsys):
    config = config_of(molecules, PairChoice(), start="boltzmann-inversion")  # far off: there is a gradient to measure
    choice = run_audit(make_fit(config), out, lengths=(10, 30), segments=6, frames=60)
    assert choice.steps in (10, 30)
    assert "further forces of trimers in segments: HarmonicBondForce natively" in capsys.readouterr().out
    (state,) = json.loads((out / "audit.json").read_text())["states"]
    assert [entry["steps"] for entry in state["lengths"]] == [10, 30]
    assert all(entry["cosine"] > 0.3 for entry in state["lengths"])


def test_molecules_whose_target_counts_the_pairs_within_them(molecules):
    with pytest.warns(
        UserWarning, match=r"all\.csv: g has a peak of .* pairs M-M that are excluded: the file seems to"
    ):
        build_states(config_of(molecules, PairChoice("all")))


def melted(box: np.ndarray, count: int = 256) -> np.ndarray:
    """Positions of a Lennard-Jones liquid in a box, from a lattice that is deformed with it; nm."""
    base = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    x = np.concatenate([(base + cell) / 4 for cell in np.ndindex(4, 4, 4)]) @ box
    system = mm.System()
    system.setDefaultPeriodicBoxVectors(*box)
    force = mm.CustomNonbondedForce("4*(r^-12-r^-6)")
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(2.5)
    for _ in range(count):
        system.addParticle(1.0)
        force.addParticle([])
    system.addForce(force)
    integrator = mm.LangevinMiddleIntegrator(300.0, 1.0, 0.004)
    integrator.setRandomNumberSeed(5)
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("CPU"))
    context.setPositions(x)
    mm.LocalEnergyMinimizer.minimize(context, 10.0, 50)
    integrator.step(600)
    integrator.setTemperature(120.27)
    integrator.step(300)
    return context.getState(positions=True).getPositions(asNumpy=True)._value


EDGE = (256 / 0.845) ** (1 / 3)
BOXES = {
    "triclinic": np.array([[EDGE, 0, 0], [0.45 * EDGE, EDGE, 0], [-0.4 * EDGE, 0.3 * EDGE, EDGE]]),
    "orthorhombic": np.diag([1.2 * EDGE, EDGE / 1.08, EDGE / 1.2 * 1.08]),
}


@pytest.mark.parametrize("shape", BOXES)
def test_boxes_that_are_not_cubic(tmp_path, out, shape):
    """Lennard-Jones' own potential gives the g(r) of a cube of the same density, and stays; beads W of a .gro file."""
    box = BOXES[shape]
    lines = ["liquid", "256"]
    for k, x in enumerate(melted(box)):
        lines.append(f"{k + 1:5d}{'W':<5s}{'W':>5s}{k + 1:5d}" + "".join(f"{value:10.5f}" for value in x))
    numbers = [*np.diag(box), 0, 0, box[1, 0], 0, box[2, 0], box[2, 1]]
    (tmp_path / "w.gro").write_text("\n".join([*lines, " ".join(f"{value:.5f}" for value in numbers), ""]))
    target = {"pair": ["W", "W"], "file": str(LIQUID), "range": ["0.75 nm", "3.0 nm"]}
    document = {
        "potential": {"form": "lj", "sigma": "1 nm", "epsilon": "1 kJ/mol", "cutoff": "2.5 nm"},
        "states": [
            {
                "name": shape,
                "system": {"topology": "w.gro", "masses": "1 amu"},
                "temperature": "120.27 K",
                "targets": [{"rdf": target}],
            }
        ],
        "sampling": {"timestep": "5 fs", "equilibration": 300, "steps": 1500, "every": 15, "adaptive": False},
        "production": {"max_steps": 2000, "noise_target": 0.1},
        "update": {"method": "gauss-newton", "iterations": 1},
    }
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    summary = json.loads(run_fit(load_config(tmp_path / "fit.yaml"), out).read_text())
    (entry,) = json.loads((out / "history.json").read_text())
    assert entry["mae"] < 0.02 and summary["states"][0]["targets"][0]["mae"] < 0.02
