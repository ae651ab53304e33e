"""`diffpair run`: production from a model folder, gone on with, in larger boxes and other ensembles, without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mdtraj
import numpy as np
import openmm as mm
import pytest
from openmm import app
from tests.support.models import EDGE, ran, table

from diffpair.cli import main
from diffpair.errors import DiffPairError
from diffpair.model import write_model, xtc

STEPS, EVERY = 400, 50


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The folder of one state, and both.json beside it: what the summary says where there are two."""
    folder = tmp_path_factory.mktemp("fit")
    out = folder / "model"
    out.mkdir()
    table().save(out / "potential.json")
    section = write_model(out, [ran(folder, "one")], print)
    (out / "summary.json").write_text(json.dumps({"model": section}))
    (folder / "both.json").write_text(json.dumps({"model": [*section, section[0] | {"name": "two"}]}))
    return out


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in ("run", *arguments)])
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


def begin(capsys, model, out, *options, steps=STEPS):
    options = ("--platform", "CPU", *options)
    if "--every" not in options and "--resume" not in options:
        options += ("--every", EVERY)
    status, said, err = run(capsys, model, "--steps", steps, "--out", out, *options)
    assert status == 0, err
    return said


def log(out: Path) -> np.ndarray:
    """Columns: step, time (ps), U, T, volume, density, speed."""
    return np.atleast_2d(np.genfromtxt(out / "log.csv", delimiter=",", skip_header=1))


def test_what_a_run_says(capsys, model, tmp_path):
    said = begin(capsys, model, tmp_path / "quiet", "--quiet")
    assert said == f"{tmp_path / 'quiet'}: trajectory.dcd, log.csv, last.pdb, state.xml; 400 steps so far\n"
    events = [json.loads(line) for line in begin(capsys, model, tmp_path / "json", "--json").splitlines()]
    assert [event["event"] for event in (events[0], events[-1])] == ["start", "result"]
    told = [event for event in events if event["event"] == "progress"]
    assert told and told[-1]["steps"] == told[-1]["of"] == STEPS and told[-1]["seconds_left"] == 0
    assert events[0]["steps"] == STEPS == events[-1]["steps"] and "last.pdb" in events[-1]["files"]


def test_files_of_a_run(capsys, model, tmp_path):
    out = tmp_path / "run"
    said = begin(capsys, model, out)
    assert "50 particles, 300 K, constant volume, time step 5 fs, on OpenMM's CPU" in said
    assert {path.name for path in out.iterdir()} == {
        "run.json", "system.xml", "start.pdb", "trajectory.dcd", "log.csv", "last.pdb", "state.xml",
    }  # fmt: skip
    rows = log(out)
    np.testing.assert_array_equal(rows[:, 0], np.arange(EVERY, STEPS + 1, EVERY))
    np.testing.assert_allclose(rows[:, 1], 0.005 * rows[:, 0])
    trajectory = mdtraj.load(out / "trajectory.dcd", top=out / "last.pdb")
    assert trajectory.n_frames == STEPS // EVERY
    np.testing.assert_allclose(trajectory.unitcell_lengths, EDGE, rtol=1e-5)
    ends = np.array([[bond[0].index, bond[1].index] for bond in trajectory.topology.bonds])
    lengths = np.linalg.norm(np.diff(trajectory.xyz[:, ends], axis=2), axis=-1)
    assert lengths.max() < 0.7, "molecules are whole in the box"
    # the energy that was logged last is that of the state that was saved
    system = mm.XmlSerializer.deserialize((out / "system.xml").read_text())
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    state = mm.XmlSerializer.deserialize((out / "state.xml").read_text())
    context.setPositions(state.getPositions())
    assert state.getStepCount() == STEPS
    assert context.getState(energy=True).getPotentialEnergy()._value == pytest.approx(rows[-1, 2], rel=1e-4)
    # the beads have moved
    assert np.abs(app.PDBFile(str(out / "last.pdb")).getPositions(asNumpy=True)._value
                  - app.PDBFile(str(out / "start.pdb")).getPositions(asNumpy=True)._value).max() > 0.05  # fmt: skip


@pytest.mark.parametrize("ending", ["dcd", "xtc"])
def test_resume_goes_on_where_the_state_was_saved(capsys, model, tmp_path, ending):
    """Also after a run that was killed behind its last saved state: frames and lines are there once."""
    out = tmp_path / "run"
    said = begin(capsys, model, out, "--trajectory", ending)
    trajectory = out / f"trajectory.{ending}"
    assert f"{out}: trajectory.{ending}, log.csv" in said
    shutil.copy(out / "state.xml", tmp_path / "saved.xml")
    kept = mdtraj.load(trajectory, top=out / "last.pdb").xyz
    begin(capsys, model, out, "--resume", steps=4 * EVERY)
    assert log(out)[-1, 0] == STEPS + 4 * EVERY
    shutil.copy(tmp_path / "saved.xml", out / "state.xml")
    begin(capsys, model, out, "--resume", steps=2 * EVERY)
    np.testing.assert_array_equal(log(out)[:, 0], np.arange(EVERY, STEPS + 2 * EVERY + 1, EVERY))
    xyz = mdtraj.load(trajectory, top=out / "last.pdb").xyz
    assert len(xyz) == STEPS // EVERY + 2
    np.testing.assert_array_equal(xyz[: len(kept)], kept)
    assert np.isfinite(xyz).all() and np.abs(xyz[-1] - xyz[-2]).max() > 1e-3
    with mdtraj.open(str(trajectory)) as file:
        assert len(file) == len(xyz)
    if ending == "xtc":
        times = mdtraj.load(trajectory, top=out / "last.pdb").time
        np.testing.assert_allclose(times, 0.005 * EVERY * np.arange(1, len(xyz) + 1), rtol=1e-5)


@pytest.mark.parametrize("atoms", [5, 9, 10, 200])
def test_frames_taken_off_an_xtc_file(tmp_path, atoms):
    """As MDTraj writes and reads them: up to nine atoms are not compressed."""
    x = np.random.default_rng(atoms).uniform(-3, 3, (6, atoms, 3)).astype(np.float32)
    path = tmp_path / "t.xtc"
    with mdtraj.formats.XTCTrajectoryFile(str(path), "w") as file:
        file.write(x, time=np.arange(6.0), step=np.arange(6), box=np.tile(4 * np.eye(3, dtype=np.float32), (6, 1, 1)))
    whole = path.read_bytes()
    with pytest.raises(DiffPairError, match=r"t\.xtc: holds fewer than the 7 frames"):
        xtc.keep_frames(path, 7)
    xtc.keep_frames(path, 4)
    with mdtraj.formats.XTCTrajectoryFile(str(path)) as file:
        found, times, *_ = file.read()
    np.testing.assert_allclose(found, x[:4], atol=6e-4)
    np.testing.assert_array_equal(times, np.arange(4.0))
    for cut in (whole[:-5], whole[: len(whole) // 6 * 5 + 20], whole[: len(whole) // 6 * 5 + 60]):
        path.write_bytes(cut)
        with pytest.raises(DiffPairError, match="holds fewer than the 6 frames"):
            xtc.keep_frames(path, 6)
    xtc.keep_frames(path, 0)
    assert path.stat().st_size == 0
    path.write_text("frames")
    with pytest.raises(DiffPairError, match="is no XTC file"):
        xtc.keep_frames(path, 1)


def test_a_larger_box_in_another_ensemble(capsys, model, tmp_path):
    out = tmp_path / "run"
    options = ("--replicate", "2x1x1", "--temperature", "600 K", "--pressure", "1 kbar", "--friction", "20 /ps",
               "--timestep", "2 fs", "--seed", "3")  # fmt: skip
    said = begin(capsys, model, out, *options, steps=2000)
    particles = 2 * (6 * 5 + 6 * 2 + 8)
    assert f"{particles} particles, 600 K, 1000 bar, time step 2 fs, on OpenMM's CPU" in said
    assert "note: the potential was learned at 300 K" in said
    rows = log(out)
    assert rows[0, 4] == pytest.approx(2 * EDGE**3, rel=0.3) and len(set(rows[:, 4])) > 3
    warm = rows[len(rows) // 2 :, 3]
    # the scatter of a temperature of 3 N degrees of freedom; eight samples or more of it are independent
    assert abs(warm.mean() - 600) < 5 * 600 * np.sqrt(2 / (3 * particles) / 8)
    topology = app.PDBFile(str(out / "last.pdb")).topology
    assert topology.getNumResidues() == 40 and topology.getNumBonds() == 2 * 30
    system = mm.XmlSerializer.deserialize((out / "system.xml").read_text())
    assert system.getNumParticles() == particles


def test_no_torch(model, tmp_path):
    """A real process, as users start it."""
    code = "import sys; from diffpair.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    arguments = [
        "run",
        str(model),
        "--steps",
        "20",
        "--every",
        "10",
        "--out",
        str(tmp_path / "run"),
        "--platform",
        "CPU",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "20 steps so far" in done.stdout and "Traceback" not in done.stderr


def test_bad_input_is_one_sentence(capsys, model, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    both = tmp_path / "both"
    shutil.copytree(model, both)
    shutil.copy(model.parent / "both.json", both / "summary.json")
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    (broken / "system.xml").write_text("<System")
    none = tmp_path / "none"
    shutil.copytree(model, none)
    document = json.loads((none / "summary.json").read_text())
    document["model"][0] |= {"forcefield": None, "reason": "its System holds a Trap"}
    (none / "summary.json").write_text(json.dumps(document))
    for folder, options, said in (
        (tmp_path / "absent", [], "there is no such folder"),
        (model, ["--out", tmp_path / "full"], "holds files, which are not overwritten"),
        (model, ["--state", "three"], "has no state 'three'; it has one"),
        (both, [], "holds the states one, two: choose one by --state"),
        (model, ["--replicate", "0"], "--replicate must be a number of copies such as 2, or 5x2x1, not '0'"),
        (model, ["--replicate", "2x2"], "--replicate must be a number of copies"),
        (none, ["--replicate", "2"], "needs the fit's forcefield.xml, which it has not written: its System holds"),
        (model, ["--timestep", "5"], "--timestep: needs a unit"),
        (model, ["--temperature", "-3 K"], "--temperature must be positive"),
        (model, ["--resume", "--trajectory", "xtc"], "leave out --trajectory"),
        (model, ["--platform", "Abacus"], "OpenMM has no platform 'Abacus' here"),
        (model, ["--resume"], "holds no run that --resume could go on with"),
        (model, ["--resume", "--temperature", "300 K"], "leave out --temperature"),
        (broken, [], "system.xml, line 1: is no XML, or cut short"),
        (model, ["--timestep", "500 fs"], "the simulation ran away before step"),
    ):
        status, _, err = run(capsys, folder, "--steps", 200, "--out", tmp_path / "run", *options)
        assert status == 2 and said in err, (options, err)
        assert len(err.strip().splitlines()) == 1 and err.strip().startswith("diffpair: ")
