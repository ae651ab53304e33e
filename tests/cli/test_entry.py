"""The two ways into the command, and what they say where something does not fit: a sentence and status 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import diffpair

PACKAGE = Path(diffpair.__file__).parent
WAYS = {"script": ["-c", "from diffpair_command import main\nmain()"], "module": ["-m", "diffpair"]}
CONFIG = """\
potential: {form: bspline, cutoff: 1 nm, knots: 20}
states:
  - name: liquid
    system: {lattice: {n: 100, density: 20 nm^-3, types: {A: 1.0}, mass: 1 amu}}
    temperature: 120 K
    targets: [rdf: {pair: [A, A], file: rdf.csv}]
sampling: {timestep: 5 fs}
"""


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.fixture
def shadow(tmp_path):
    """A folder that comes before all others where Python searches modules."""
    (tmp_path / "shadow").mkdir()
    return tmp_path / "shadow"


def run(folder, way, *arguments):
    search = os.pathsep.join([str(folder), str(PACKAGE.parent)])
    (folder.parent / "fit.yaml").write_text(CONFIG)
    (folder.parent / "rdf.csv").write_text("\n".join(f"{0.05 * k:.2f} {float(k > 6)}" for k in range(20)))
    return subprocess.run(
        [sys.executable, *way, *arguments], cwd=folder.parent, env=os.environ | {"PYTHONPATH": search},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def built_against(folder, openmm, torch):
    """The package as if it had been built against these versions."""
    (folder / "diffpair").mkdir()
    for path in PACKAGE.iterdir():
        if path.name not in ("_build_info.py", "__pycache__"):
            (folder / "diffpair" / path.name).symlink_to(path)
    (folder / "diffpair" / "_build_info.py").write_text(f"OPENMM_VERSION = {openmm!r}\nTORCH_VERSION = {torch!r}\n")


def is_one_sentence(done, *parts):
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("diffpair: ") and done.stderr.count("\n") == 1
    assert all(part in done.stderr for part in parts), done.stderr


FIT = ("fit", "fit.yaml", "--out", "out")


@pytest.mark.parametrize("arguments", [FIT, ("run", "model", "--steps", "1", "--out", "x", "--timestep", "5 fs")])
def test_missing_openmm(shadow, way, arguments):
    (shadow / "openmm.py").write_text("raise ImportError('libOpenMM.so.8.6: cannot open shared object file')")
    is_one_sentence(run(shadow, way, *arguments), "DiffPair needs OpenMM 8.6, which cannot be imported (libOpenMM.so")


def test_another_openmm(shadow, way):
    built_against(shadow, "8.4.0", "2.13.0")
    is_one_sentence(run(shadow, way, *FIT), "built against OpenMM 8.4.0, but OpenMM 8.6.", "'openmm==8.4.*'")


def test_missing_torch(shadow):
    (shadow / "torch.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')")
    is_one_sentence(run(shadow, WAYS["module"], *FIT), "torch", "pip install")


def test_another_torch(shadow):
    built_against(shadow, diffpair._libraries.build_versions()[0], "2.9.1")
    is_one_sentence(run(shadow, WAYS["script"], *FIT), "built against torch 2.9.1, but torch 2.13.", "'torch==2.9.*'")


def test_an_unbuilt_package(shadow, way):
    built_against(shadow, "8.6.1", None)
    (shadow / "diffpair" / "_build_info.py").unlink()
    is_one_sentence(run(shadow, way, *FIT), "DiffPair's compiled parts are missing from")


def test_a_missing_command_line(shadow, way):
    (shadow / "click.py").write_text("raise ModuleNotFoundError('No module named click', name='click')")
    is_one_sentence(run(shadow, way, "--help"), "No module named click", "pip install 'diffpair[learn]'")


def test_help_needs_no_openmm(shadow, way):
    (shadow / "openmm.py").write_text("raise ImportError('it is broken')")
    for arguments in (["--help"], ["fit", "--help"], ["--version"]):
        done = run(shadow, way, *arguments)
        assert (done.returncode, done.stderr) == (0, "") and "diffpair" in done.stdout


def test_the_package_itself_still_raises(shadow):
    """Also where a script has words that look like the command's, or is run as a module."""
    (shadow / "openmm.py").write_text("raise ImportError('it is broken')")
    (shadow / "other.py").write_text("import diffpair")
    for words in (["-c", "import diffpair"], ["-c", "import diffpair", "-m", "diffpair"], ["-m", "other", "diffpair"]):
        done = run(shadow, words)
        assert done.returncode == 1 and "ImportError: DiffPair needs OpenMM" in done.stderr


def test_names_are_loaded_in_the_command_as_well(shadow):
    """What a deferred import offers is what the package offers."""
    code = (
        "import diffpair_command; diffpair_command.at_work = True; import sys, diffpair; assert 'openmm' not in "
        "sys.modules; from diffpair import PairTable, PairTableForce, TorchPairForce; import openmm; "
        "assert issubclass(PairTableForce, openmm.Force) and PairTableForce.toCustomNonbondedForce; "
        "assert not set(diffpair.__all__) - set(dir(diffpair))"
    )
    done = run(shadow, ["-c", code])
    assert done.returncode == 0, done.stderr
