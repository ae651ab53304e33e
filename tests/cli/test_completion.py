"""Completion by the protocol of a real shell: the script, and what the program answers to it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import diffpair

PYTHON = str(Path(diffpair.__file__).parents[1])


@pytest.fixture
def program(tmp_path):
    """A `diffpair` on the PATH, as pip would make it."""
    (tmp_path / "bin").mkdir()
    file = tmp_path / "bin" / "diffpair"
    file.write_text(f"#!{sys.executable}\nfrom diffpair_command import main\nif __name__ == '__main__':\n    main()\n")
    file.chmod(0o755)
    (tmp_path / "model").mkdir()
    summary = {"states": [{"name": "cold"}, {"name": "hot"}]}
    (tmp_path / "model" / "summary.json").write_text(json.dumps(summary))
    (tmp_path / "fit.yaml").write_text("states: [{name: liquid}, {name: gas}]\n")
    return tmp_path


def answers(program, *words, **more):
    """What the program offers for the last word, with click's variables for bash."""
    environment = os.environ | {
        "PYTHONPATH": PYTHON, "_DIFFPAIR_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(("diffpair", *words)),
        "COMP_CWORD": str(len(words)), **more,
    }  # fmt: skip
    done = subprocess.run(
        [program / "bin" / "diffpair"], env=environment, cwd=program, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [line.split(",", 1)[1] for line in done.stdout.splitlines() if line]


def test_commands_options_and_choices(program):
    assert answers(program, "val") == ["validate"]
    assert {"fit", "doctor", "init", "completion"} <= set(answers(program, ""))
    assert answers(program, "fit", "--task") == ["--task-timeout"]
    assert answers(program, "export", "p.json", "--format", "openmm-") == ["openmm-custom"]


def test_states(program):
    assert answers(program, "validate", "model", "--state", "") == ["cold", "hot"]
    assert answers(program, "run", "model", "--state", "h") == ["hot"]
    assert answers(program, "validate", "p.json", "--config", "fit.yaml", "--state", "l") == ["liquid"]
    assert answers(program, "validate", "nowhere", "--state", "") == []


def test_no_openmm_is_loaded(program):
    (program / "shadow").mkdir()
    (program / "shadow" / "openmm.py").write_text("raise ImportError('it is broken')")
    search = os.pathsep.join([str(program / "shadow"), PYTHON])
    assert answers(program, "run", "model", "--state", "c", PYTHONPATH=search) == ["cold"]


def script(program, shell):
    environment = os.environ | {"PYTHONPATH": PYTHON}
    done = subprocess.run(
        [program / "bin" / "diffpair", "completion", shell],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_program(program, shell):
    text = script(program, shell)
    assert "_DIFFPAIR_COMPLETE" in text and f"{shell}_complete" in text and "diffpair" in text


def test_bash_completes(program):
    """The script in bash itself, called as the shell calls it."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    asks = (
        'eval "$(diffpair completion bash)"; complete -p diffpair; COMP_WORDS=(diffpair run model --state ""); '
        'COMP_CWORD=4; _diffpair_completion diffpair "" --state; echo "${COMPREPLY[@]}"'
    )
    path = f"{program / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", asks], env=os.environ | {"PYTHONPATH": PYTHON, "PATH": path}, cwd=program,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "-F _diffpair_completion diffpair" in done.stdout and done.stdout.splitlines()[-1] == "cold hot"
