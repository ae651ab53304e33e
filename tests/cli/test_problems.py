"""A problem is one sentence with status 2, whatever it is."""

import subprocess
import sys

import openmm
import pytest
from command_line import CONFIG, run


def test_version(capsys):
    status, out, _ = run(capsys, "--version")
    assert status == 0 and out.startswith("diffpair ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["validate", "none.json"], "none.json: no such potential file"),
        (["validate", "none.yaml"], "none.yaml: no such config file"),
        (["fit", "none.yaml", "--out", "out"], "none.yaml: no such config file"),
        (["fit", "fit.yaml", "--out", "p.json"], "p.json: is a file, but --out needs a folder"),
        (["fit", "broken.yaml", "--out", "out"], "broken.yaml, line 1: potential.cutoff: needs a unit"),
        (["fit", "lost.yaml", "--out", "out"], "lost.csv: no such file"),
        (["fit", "fit.yaml", "--out", "out", "--resume"], "out holds no fit to resume"),
        (["validate", "module.yaml"], "no.pt: no such file; it should hold the potential's TorchScript module"),
        (["validate", "start.yaml"], "no.json: no such potential file"),
        (
            ["export", "fit.yaml", "--format", "lammps", "--out", "x"],
            "fit.yaml: not a potential file but a fit's config: diffpair fit makes",
        ),
        (["export", "p.json", "--format", "lammps", "--out", "no/x"], "no/x: cannot be written"),
        (["target", "t.dcd", "--select", "name O", "--r-max", "1", "--out", "x"], "--r-max: needs a unit"),
        (["target", "t.dcd", "--select", "name O", "--r-max", "1 nm", "--out", "x"], "t.dcd: no such trajectory"),
    ],
)
def test_a_problem_is_one_sentence(capsys, folder, monkeypatch, arguments, sentence):
    monkeypatch.chdir(folder)
    (folder / "broken.yaml").write_text(CONFIG.replace("2.5 nm", "2.5"))
    (folder / "lost.yaml").write_text(CONFIG.replace("rdf.csv", "lost.csv"))
    (folder / "module.yaml").write_text(CONFIG.replace("form: bspline", "module: no.pt"))
    (folder / "start.yaml").write_text(CONFIG + "start: no.json\n")
    status, out, err = run(capsys, *arguments)
    assert status == 2 and out == ""
    assert err.startswith("diffpair: ") and err.count("\n") == 1 and sentence in err and "Traceback" not in err
    assert "--resume" not in arguments or not (folder / "out").exists()


def test_an_interrupted_fit_says_how_to_go_on(capsys, folder, monkeypatch):
    import diffpair.config
    from diffpair.fit.record.checkpoint import CHECKPOINT

    for made, sentence in (
        (False, "interrupted"),
        (True, "interrupted; my out keeps what is finished; go on with: diffpair --debug fit fit.yaml --out 'my out' "
               "--resume --workers 1 --task-timeout 2.5"),
    ):  # fmt: skip

        class Interrupted:
            def __init__(self, _config, made=made, **how):
                assert how["task_timeout"] == 2.5 and how["executor"].count == 1
                self.made = made

            def interrupt(self):
                pass

            def run(self, out, resume):
                assert not resume
                if self.made:
                    out.mkdir()
                    (out / CHECKPOINT).touch()
                raise KeyboardInterrupt

        monkeypatch.setattr(diffpair.config, "make_fit", Interrupted)
        monkeypatch.chdir(folder)
        options = ["--out", "my out", "--workers", "1", "--task-timeout", "2.5"]
        status, _, err = run(capsys, "--debug", "fit", "fit.yaml", *options)
        assert status == 130 and f"diffpair: {sentence}" in err and ("resume" in err) == made


@pytest.mark.parametrize("arguments", [["fit", "fit.yaml"], ["nonsense"], ["export", "p.json", "--format", "x"]])
def test_wrong_usage(capsys, arguments):
    status, _, err = run(capsys, *arguments)
    assert status == 2 and "Error: " in err and "Traceback" not in err


def test_debug_shows_the_traceback(capsys):
    status, _, err = run(capsys, "--debug", "validate", "none.json")
    assert status == 2 and "Traceback" in err and "no such potential file" in err


def _raise(error):
    def command(*_args, **_options):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (openmm.OpenMMException("Particle 3:\n wrong"), 2, "diffpair: Particle 3: wrong\n"),
        (KeyboardInterrupt(), 130, "diffpair: interrupted\n"),
        (KeyboardInterrupt("do go on"), 130, "diffpair: interrupted; do go on\n"),
        (PermissionError(13, "Permission denied", "a.part", None, "a"), 2, "diffpair: a: Permission denied\n"),
        (MemoryError("of 9 TB"), 2, "diffpair: there is not enough memory for this: of 9 TB\n"),
        (
            ModuleNotFoundError("No module", name="torch"),
            2,
            "torch is needed for this command: pip install 'diffpair[learn]'",
        ),
        (
            ZeroDivisionError("oh"),
            1,
            "this is a defect of DiffPair, please report it: ZeroDivisionError: oh; 'diffpair --debug",
        ),
    ],
)
def test_other_errors(capsys, monkeypatch, error, status, sentence):
    from diffpair.cli import validate

    monkeypatch.setattr(validate.command, "callback", _raise(error))
    code, _, err = run(capsys, "validate", "x")
    assert code == status and sentence in err and "Traceback" not in err


def test_as_a_program(folder):
    """A real process: status and streams, and that a light command loads no torch."""
    code = "import sys; from diffpair.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    for arguments, status in ((["validate", "p.json"], 0), (["validate", "fit.yaml"], 0), (["validate", "x.json"], 2)):
        result = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == status, result.stderr
        assert "Traceback" not in result.stderr
