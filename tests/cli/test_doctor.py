"""diffpair doctor: what it finds in a sound installation, and in several that are not."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import diffpair
from diffpair.doctor.platforms import remedy_of
from diffpair.doctor.versions import LEARNING

PACKAGE = Path(diffpair.__file__).parent
NEW = ("_build_info.py", "_libraries.py", "__pycache__", "lib")


def doctor(folder, *options, **environment):
    search = os.pathsep.join([str(folder), str(PACKAGE.parent)])
    done = subprocess.run(
        [sys.executable, "-m", "diffpair", "doctor", *options], cwd=folder, capture_output=True, text=True, timeout=240,
        env=os.environ | {"PYTHONPATH": search} | environment, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr and done.returncode in (0, 1), done.stderr
    return done


def checks(done):
    document = json.loads(done.stdout)
    assert document["ok"] == (done.returncode == 0)
    return {check["name"]: check for check in document["checks"]}


def other_package(folder, openmm="8.6.1", torch="2.13.0"):
    """The package, built against these versions, with libraries that can be damaged."""
    lib = folder / "diffpair" / "lib"
    (lib / "plugins").mkdir(parents=True)
    for path in PACKAGE.iterdir():
        if path.name not in NEW:
            (folder / "diffpair" / path.name).symlink_to(path)
    for path in (PACKAGE / "lib").rglob("*.so"):
        target = lib / path.relative_to(PACKAGE / "lib")
        target.parent.mkdir(exist_ok=True)
        target.symlink_to(path)
    shutil.copy(PACKAGE / "_libraries.py", folder / "diffpair")  # it looks for libraries beside itself
    (folder / "diffpair" / "_build_info.py").write_text(f"OPENMM_VERSION = {openmm!r}\nTORCH_VERSION = {torch!r}\n")
    return lib


def test_all_is_well(tmp_path):
    done = doctor(tmp_path, "--json", DIFFPAIR_ISA="portable", OPENMM_CPU_THREADS="1")
    found = checks(done)
    assert done.returncode == 0 and not [name for name, check in found.items() if check["status"] == "problem"]
    import openmm

    assert found["openmm"]["version"] in (openmm.__version__, openmm.Platform.getOpenMMVersion())
    cpu = found["CPU"]
    assert cpu["force_difference"] < 1e-5 and cpu["steps_per_second"] > found["Reference"]["steps_per_second"] > 0
    assert (cpu["threads"], cpu["instruction_set"], cpu["particles"]) == (1, "portable", 512)
    assert found["torch operators"]["status"] == "ok" and found["torch operators"]["threads"] >= 1
    assert found["processors"]["environment"]["DIFFPAIR_ISA"] == "portable"


def test_another_openmm_and_no_torch_operators(tmp_path):
    """The package cannot be imported, and the versions are told all the same."""
    lib = other_package(tmp_path, openmm="8.4.0")
    (lib / "libdiffpair_torch_ops.so").unlink()
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert re.search(r"\n  ok   openmm +8\.6\.\d", done.stdout)
    assert re.search(r"\n  FAIL OpenMM +the forces do not load: .*against OpenMM 8\.4\.0,", done.stdout)
    assert re.search(r"\n  FAIL torch operators +DiffPair's library .* cannot be loaded", done.stdout)
    assert done.stdout.endswith("\n2 problems: OpenMM, torch operators\n") and "\x1b" not in done.stdout


def test_plugins_that_do_not_load(tmp_path):
    lib = other_package(tmp_path, torch=None)
    (lib / "plugins" / "libdiffpair_openmm_cpu.so").unlink()
    found = checks(doctor(tmp_path, "--json", OPENMM_CPU_THREADS="99", PATH=""))
    assert found["CPU"]["status"] == "problem" and "does not exist" in found["CPU"]["text"]
    assert "install DiffPair again" in found["CPU"]["remedy"]
    assert found["Reference"]["status"] == "ok"
    assert found["torch operators"]["status"] == "note" and "install torch first" in found["torch operators"]["remedy"]
    assert found["processors"]["status"] == "note" and "Set OPENMM_CPU_THREADS to" in found["processors"]["remedy"]


def test_missing_packages(tmp_path):
    """Found by what is installed, so that Python without its packages does for a test."""
    code = "from diffpair_command import main; main(['doctor', '--json'])"
    click = Path(pytest.importorskip("click").__file__).parent
    (tmp_path / "click").symlink_to(click)
    search = os.pathsep.join([str(tmp_path), str(PACKAGE.parent)])
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=os.environ | {"PYTHONPATH": search}, capture_output=True, text=True,
        cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr == "", done.stderr
    found = checks(done)
    for name in ("openmm", "numpy", "mdtraj", "torch"):
        assert (found[name]["status"], found[name]["text"][:13]) == ("problem", "not installed")
    assert found["torch"]["remedy"] == "pip install 'diffpair[learn]'."
    assert found["distributed"]["status"] == "absent" and "diffpair[dask]" in found["distributed"]["remedy"]
    assert found["OpenMM"]["status"] == "problem" and "cannot be imported" in found["OpenMM"]["text"]


def test_a_wrong_force_is_found(tmp_path, monkeypatch):
    """The forces of CPU are compared with those of another box."""
    import openmm

    from diffpair.doctor import platforms

    right = platforms._context
    monkeypatch.setattr(platforms, "_SPACING", 0.38)

    def wrong(name):
        context = right(name)
        if name == "CPU":
            positions = context.getState(positions=True).getPositions(asNumpy=True)
            positions[5] += [0.001, 0, 0] * openmm.unit.nanometer
            context.setPositions(positions)
        return context

    monkeypatch.setattr(platforms, "_context", wrong)
    monkeypatch.setattr(platforms, "_SECONDS", 0.0)
    found = {finding.name: finding for finding in platforms.platforms()}
    assert found["CPU"].status == "problem" and "forces are off by 0.0" in found["CPU"].text
    assert found["Reference"].status == "ok"


@pytest.mark.parametrize(
    ("why", "remedy"),
    [
        ("/x/y.so does not exist", "make build"),
        ("undefined symbol: _ZN6OpenMM", "built against another OpenMM"),
        ("libOpenMMCUDA.so: cannot open shared object file: No such file", "--force-reinstall openmm-cuda-13"),
        ("file too short", "Install DiffPair again"),
    ],
)
def test_remedies(why, remedy):
    assert remedy in remedy_of("CUDA", why)


def test_what_learning_needs_is_what_the_extra_installs():
    """The list in the code follows pyproject.toml, but for click, without which there is no doctor."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[^\w-]", entry)[0] for entry in project["optional-dependencies"]["learn"]]
    assert set(names) - {"click"} == set(LEARNING)
