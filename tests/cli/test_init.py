"""diffpair init: a config that validate and fit take as it is, and questions where something is missing."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import openmm as mm
import pytest
import yaml
from bonded_files import write_files
from command_line import run
from small_fits import GAS, R

import diffpair
from diffpair.config import build_states, load_config

ONE = ["--temperature", "120.27 K", "--density", "0.3 nm^-3", "--mass", "1 amu"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A gas of one kind, in nm, and in angstrom with a header."""
    monkeypatch.chdir(tmp_path)
    np.savetxt("gas.csv", np.column_stack([R, GAS]), delimiter=",", header="r,g", comments="")
    r = np.arange(0.82, 4.2, 0.02)
    far = np.column_stack([10 * r, np.exp(-4 * (r**-12.0 - r**-6.0))])
    np.savetxt("far.csv", far, delimiter=",", header="r (angstrom),g", comments="")
    (tmp_path / "data").mkdir()
    np.savetxt("data/b.csv", np.column_stack([1.1 * R, GAS]), delimiter=",", header="r,g", comments="")
    return tmp_path


def fits(capsys, config):
    """validate, and a fit with fewer steps and iterations than were chosen."""
    assert run(capsys, "validate", config)[0] == 0
    text = Path(config).read_text()
    for pattern, value in (
        ("  steps: 3000", "  steps: 200"), ("max_steps: 100000", "max_steps: 1000"),
        ("iterations: 10", "iterations: 1"), ("noise_target: 0.002", "noise_target: 0.1"),
    ):  # fmt: skip
        assert pattern in text
        text = text.replace(pattern, value)
    Path(config).write_text(text)
    status, _, err = run(capsys, "fit", config, "--out", "out")
    assert status == 0, err
    return json.loads(Path("out/summary.json").read_text())


def test_one_type(capsys, folder):
    status, out, err = run(capsys, "init", "gas.csv", *ONE, "--particles", "125")
    assert (status, err) == (0, "") and "diffpair fit fit.yaml --out fit-out" in out
    text = Path("fit.yaml").read_text()
    document = yaml.safe_load(text)
    assert document["states"][0]["system"]["lattice"] == {
        "n": 125, "density": "0.3 nm^-3", "types": {"A": 1.0}, "mass": "1 amu",
    }  # fmt: skip
    assert document["potential"] == {"form": "bspline", "cutoff": "2.5 nm"}
    assert document["states"][0]["targets"] == [{"rdf": {"pair": ["A", "A"], "file": "gas.csv", "r_unit": "nm"}}]
    for section in document:
        assert re.search(rf"^#.*\n{section}:", text, re.MULTILINE) or section == "seed"  # with a comment before it
    assert text.count("docs: ") >= 5 and max(map(len, text.splitlines())) <= 120
    summary = fits(capsys, "fit.yaml")
    assert [target["pair"] for target in summary["states"][0]["targets"]] == [["A", "A"]]
    status, out, _ = run(capsys, "validate", "out", "--json", "--steps", "400")  # finds the config by itself
    document = json.loads(out)
    assert (status, document["config"]) == (0 if document["pass"] else 1, "fit.yaml")


def test_numbers_follow_from_the_file(capsys, folder):
    """Half the box holds the range, which is shorter than the file's; the unit is that of the header."""
    numbers = ["--temperature", "120 K", "--density", "1.5 nm^-3", "--mass", "40 amu"]
    assert run(capsys, "init", "far.csv", *numbers, "--type", "Ar")[0] == 0
    section = yaml.safe_load(Path("fit.yaml").read_text())
    (rdf,) = (target["rdf"] for target in section["states"][0]["targets"])
    assert rdf["pair"] == ["Ar", "Ar"] and rdf["r_unit"] == "angstrom" and rdf["range"] == ["0 nm", "3.5 nm"]
    (state,) = build_states(load_config("fit.yaml"))
    assert state.num_atoms == 600 and state.half_box == pytest.approx(3.684, abs=1e-3)
    assert section["sampling"]["timestep"] == "20 fs"  # argon, but three times as large
    assert run(capsys, "init", "gas.csv", *ONE, "--particles", "30", "--out", "small.yaml")[0] == 0
    (rdf,) = (target["rdf"] for target in yaml.safe_load(Path("small.yaml").read_text())["states"][0]["targets"])
    assert rdf["range"] == ["0 nm", "2.31 nm"] and load_config("small.yaml").potential.cutoff == 2.32
    assert "# cutoff: half of the box; 2.5 nm would suit" in Path("small.yaml").read_text()


def test_mixture_in_another_folder(capsys, folder):
    pairs = ["NO-NO=gas.csv", "NO-B=data/b.csv", "B-B=data/b.csv"]
    masses = ["--mass", "NO=1 amu", "--mass", "B=2 amu", "--composition", "NO=3,B=1"]
    status, _, err = run(capsys, "init", *pairs, *ONE[:4], *masses, "--particles", "125", "--out", "data/mix.yaml")
    assert (status, err) == (0, "")
    (state,) = yaml.safe_load(Path("data/mix.yaml").read_text())["states"]
    assert state["system"]["lattice"]["types"] == {"NO": 0.75, "B": 0.25}  # NO is quoted, or YAML would say false
    assert state["system"]["lattice"]["mass"] == {"NO": "1 amu", "B": "2 amu"}
    assert [target["rdf"]["file"] for target in state["targets"]] == ["../gas.csv", "b.csv", "b.csv"]
    assert len(fits(capsys, "data/mix.yaml")["states"][0]["targets"]) == 3
    status, _, _ = run(capsys, "init", *pairs[:2], *ONE[:4], *masses, "--out", "some.yaml")
    assert status == 0 and yaml.safe_load(Path("some.yaml").read_text())["potential"]["pairs"] == [
        ["NO", "NO"], ["NO", "B"],
    ]  # fmt: skip
    assert "# pairs: there is no g(r) of B-B" in Path("some.yaml").read_text()


def trimers(folder):
    """Structure, and a System with springs for its bonds."""
    write_files(folder)
    system = mm.System()
    bonds = mm.HarmonicBondForce()
    for molecule in range(27):
        for _ in range(3):
            system.addParticle(20.0)
        bonds.addBond(3 * molecule, 3 * molecule + 1, 0.4, 900.0)
        bonds.addBond(3 * molecule + 1, 3 * molecule + 2, 0.4, 900.0)
    system.addForce(bonds)
    system.setDefaultPeriodicBoxVectors(*(3 * np.eye(3)))
    (folder / "system.xml").write_text(mm.XmlSerializer.serialize(system))


def test_molecules(capsys, folder):
    trimers(folder)
    names = [word for name in ("A1=A", "A2=A", "B1=B") for word in ("--types", name)]
    files = ["--topology", "trimers.pdb", "--system", "system.xml", *names, "--temperature", "300 K"]
    status, _, err = run(capsys, "init", "A-A=rdf.csv", "A-B=rdf.csv", "B-B=rdf.csv", *files)
    assert (status, err) == (0, "")
    document = yaml.safe_load(Path("fit.yaml").read_text())
    assert document["states"][0]["system"] == {
        "topology": "trimers.pdb", "xml": "system.xml", "types": {"A1": "A", "A2": "A", "B1": "B"},
    }  # fmt: skip
    assert len(fits(capsys, "fit.yaml")["states"][0]["targets"]) == 3
    status, _, err = run(capsys, "init", "rdf.csv", "--topology", "trimers.pdb", "--temperature", "300 K", "--force")
    assert status == 2 and "trimers.pdb has the types A1, B1, A2: say whose g(r)" in err


def test_an_existing_file_is_kept(capsys, folder):
    Path("fit.yaml").write_text("mine")
    status, _, err = run(capsys, "init", "gas.csv", *ONE)
    assert status == 2 and "fit.yaml exists already; --force replaces it" in err
    status, _, err = run(capsys, "init", "gas.csv", *ONE[:2], "--density", "300 nm^-3", *ONE[4:], "--force")
    assert status == 2 and "r_unit" in err and Path("fit.yaml").read_text() == "mine"
    assert run(capsys, "init", "gas.csv", *ONE, "--force")[0] == 0 and "bspline" in Path("fit.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gas.csv"], "--temperature, --density and --mass are missing; for example: diffpair init rdf.csv --temp"),
        ([], "FILE is missing"),
        (["none.csv", *ONE], "none.csv: no such file"),
        (["gas.csv", *ONE[:-1], "1"], "--mass: needs a unit"),
        (["gas.csv", "gas.csv", *ONE], "A-A has two files; a mixture needs them as in Na-Na=a.csv"),
        (["A=gas.csv", *ONE], "'A=gas.csv' should name two types and a file, as in Na-Cl=na-cl.csv"),
        (["A-B=gas.csv", *ONE], "--composition is missing"),
        (["A-B=gas.csv", *ONE, "--composition", "A=1,C=1"], "names A, C, but the types are A, B"),
        (["A-B=gas.csv", *ONE, "--composition", "A=1,B=0"], "--composition: the parts in 'A=1,B=0' must be positive"),
        (["gas.csv", *ONE, "--mass", "B=1 amu"], "--mass: 'B' is no type; the types are A"),
        (["gas.csv", *ONE, "--system", "s.xml"], "--system goes with --topology"),
        (["gas.csv", *ONE, "--topology", "s.pdb"], "--density is for particles without --topology"),
    ],
)
def test_refusals(capsys, folder, arguments, sentence, monkeypatch):
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        status, out, err = run(capsys, "init", *arguments)
    assert status == 2 and out == "" and sentence in err and err.count("\n") == 1
    assert not Path("fit.yaml").exists()


def test_questions_on_a_terminal(folder):
    """Only what is missing is asked for; an answer that does not fit is asked for again."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "diffpair", "init", "gas.csv", "--density", "0.3 nm^-3"]
    environment = os.environ | {"PYTHONPATH": str(Path(diffpair.__file__).parents[1])}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        os.write(ours, b"120.27\n120.27 K\n1 amu\n")
        said = b""
        while process.poll() is None or b"validate" not in said:
            try:
                said += os.read(ours, 4096)
            except OSError:
                break
    os.close(ours)
    text = said.decode()
    assert process.returncode == 0, text
    assert text.count("Temperature, such as 300 K: ") == 2 and "needs a unit" in text and "Density" not in text
    assert yaml.safe_load(Path("fit.yaml").read_text())["states"][0]["temperature"] == "120.27 K"
