"""The Python of the pages in docs/ runs as it stands, one block after another."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_code_of_the_observables_page(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guide/observables.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    norm = float(re.findall(r"tensor\(([^,]*),", done.stdout)[0])
    assert 0 < norm < float("inf")
    assert done.stdout.splitlines()[-1] == "HarmonicBondForce natively"


def test_code_of_the_plugin_page(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guide/plugin.md").read_text(), flags=re.DOTALL)
    assert len(blocks) >= 6
    shutil.copy(ROOT / "examples/scripts/potential.json", tmp_path)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "6", "a chain of four has six pairs up to three bonds apart"


def test_code_of_the_python_page(tmp_path: Path) -> None:
    """The script runs, and prints what its comments say."""
    pytest.importorskip("torch")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guide/python.md").read_text(), flags=re.DOTALL)
    assert len(blocks) >= 9
    shutil.copy(ROOT / "examples/lennard_jones/rdf.csv", tmp_path)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for said in re.findall(r"print\(\w+\)  # (.*)", "\n".join(blocks)):
        assert said in done.stdout
    files = {path.name for path in tmp_path.iterdir()}
    assert {"potential.json", "fit.png", "fit-out", "saved", "liquid.pdb"} <= files
    assert (tmp_path / "fit-out/summary.json").is_file()


def test_code_of_the_page_of_bonded_terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a potential, and a topology of bonds, angles and dihedrals: the block gives each its force."""
    import numpy as np
    import openmm as mm
    from openmm import app

    from diffpair.bonded import HarmonicTerm, TabulatedTerm
    from diffpair.tables import PairTable

    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guide/bonded.md").read_text(), flags=re.DOTALL)
    types, topology, system = [*"ABBA"] * 2, app.Topology(), mm.System()
    chain = topology.addChain()
    for _ in range(2):
        residue = topology.addResidue("C4", chain)
        atoms = [topology.addAtom(f"B{i}", None, residue) for i in range(4)]
        for first, second in zip(atoms[:-1], atoms[1:], strict=True):
            topology.addBond(first, second)
    for _ in types:
        system.addParticle(1.0)
    terms = (HarmonicTerm.of(("A", "B"), 100.0, 0.3), TabulatedTerm(("A", "B", "B", "A"), np.cos(np.arange(12))))
    (tmp_path / "model").mkdir()
    PairTable(("A", "B"), 0.1, 1.0, np.zeros((3, 12)), bonded=terms).save(tmp_path / "model/potential.json")
    monkeypatch.chdir(tmp_path)
    exec(code, {"topology": topology, "system": system, "types": types})
    bonds, dihedrals = system.getForces()
    assert (bonds.getName(), bonds.getNumBonds()) == ("DiffPair bond A-B", 4)
    assert (dihedrals.getName(), dihedrals.getNumTorsions()) == ("DiffPair dihedral A-B-B-A", 2)


def test_python_page_names_every_setting_and_argument() -> None:
    """Everything at the top of the package that sets up a fit, and the arguments of Fit and of the states."""
    import inspect

    from diffpair import Fit
    from diffpair.settings import __all__ as settings
    from diffpair.states import build_from_files, build_lattice
    from diffpair.states.from_simulation import build_from_simulation

    words = set(re.findall(r"\w+", (ROOT / "docs/guide/python.md").read_text()))
    assert set(settings) <= words
    for function in (Fit, Fit.run, Fit.save, Fit.resume, build_from_simulation, build_lattice, build_from_files):
        hidden = {"self", "origin", "options"}  # the second of the config's door alone
        assert set(inspect.signature(function).parameters) - hidden <= words, function
