"""The examples for people with scripts run as they stand, with few steps."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import openmm
import pytest
from openmm.version import openmm_library_path

import diffpair

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(*command: object, **environment: str) -> str:
    """Standard output of a command that has to succeed, run in a folder where no file of the repository lies."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that simulation.py has written; torch cannot be imported."""
    folder = tmp_path_factory.mktemp("simulation")
    (folder / "blocked").mkdir()
    (folder / "blocked/torch.py").write_text("raise ImportError('torch is blocked')")
    script = EXAMPLES / "scripts/simulation.py"
    run(sys.executable, script, "--steps", 200, "--out", folder, PYTHONPATH=str(folder / "blocked"))
    return folder


def test_existing_script_with_reporters_and_barostat(finished: Path) -> None:
    rows = list(csv.DictReader((finished / "log.csv").open()))
    assert len(rows) == 20 and rows[-1]['#"Step"'] == "200"
    assert len({row["Density (g/mL)"] for row in rows}) > 1, "the barostat never changed the box"
    assert all(40 < float(row["Temperature (K)"]) < 300 for row in rows)
    assert (finished / "trajectory.dcd").stat().st_size > 20 * 512 * 12


def test_system_from_its_xml_alone(finished: Path) -> None:
    output = run(sys.executable, EXAMPLES / "scripts/restart.py", finished, 50)
    # OpenMM itself may print a line before, about the OpenCL device that it chose.
    assert output.splitlines()[-1].startswith("step 250: ") and "kJ/mol per particle" in output
    shutil.copy(EXAMPLES / "scripts/restart.py", finished)
    text = (finished / "restart.py").read_text()
    (finished / "restart.py").write_text(text.replace("import diffpair", "# import diffpair"))
    done = subprocess.run([sys.executable, str(finished / "restart.py"), str(finished)], capture_output=True, text=True)
    assert done.returncode == 1, "the import is not needed, so the example is wrong"


def test_own_simulation(tmp_path: Path) -> None:
    """The script goes on with what it has learned; its reporters have seen all steps."""
    pytest.importorskip("torch")
    script = EXAMPLES / "own_simulation/liquid.py"
    output = run(sys.executable, script, "--quick", "--steps", 500, "--out", tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert f"FitResult after {summary['iterations']} iterations, {summary['md_steps']} MD steps" in output
    state = openmm.XmlSerializer.deserialize((tmp_path / "state.xml").read_text())
    assert state.getStepCount() == summary["md_steps"] + 1000 + 400 + 500
    frames = (tmp_path / "trajectory.dcd").stat().st_size // (3 * 4 * 375)
    assert frames == state.getStepCount() // 1000
    assert summary["states"][0]["targets"][0]["mae"] < 0.1  # 0.05 with so few steps; g = 1 everywhere is 0.17 off


def test_from_cpp(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    output = run(EXAMPLES / "cpp/build.sh", tmp_path, 100, PYTHON=sys.executable)
    assert "\nstep 100: " in output and "kJ/mol per particle" in output
    run(sys.executable, "-m", "diffpair", "export", EXAMPLES / "scripts/potential.json", "--format", "openmm-custom",
        "--out", tmp_path / "custom.xml")  # fmt: skip
    plugins = [Path(openmm_library_path).parent / "lib/plugins", Path(diffpair.__path__[0]) / "lib/plugins"]
    command = [str(part) for part in (tmp_path / "production", tmp_path / "custom.xml", *plugins)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "the XML holds the class CustomNonbondedForce, not a PairTableForce" in done.stderr


def test_potential_is_what_its_command_says() -> None:
    from diffpair.tables import read_document

    document = read_document(EXAMPLES / "scripts/potential.json")
    assert document["provenance"]["config"] == "examples/lennard_jones/fit.yaml"
    assert (EXAMPLES / "scripts/potential.json").stat().st_size < 8192
