"""The commands of docs/guide/formats.md do what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from lammps_frame import learned_like

from diffpair import PairTable
from diffpair.cli import cli

PAGE = (Path(__file__).parents[2] / "docs/guide/formats.md").read_text()
EXPORTS, IMPORTS, SAID = re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL)


def argon(rows):
    """Rows of a LAMMPS table in units real, from 2 to 8.5 Angstrom."""
    r = np.linspace(2, 8.5, rows)
    sixth, epsilon = (3.4 / r) ** 6, 0.996 / 4.184
    columns = r, 4 * epsilon * (sixth**2 - sixth), 24 * epsilon * (2 * sixth**2 - sixth) / r
    return "\n".join(f"{i} {x:.10g} {u:.12g} {f:.12g}" for i, (x, u, f) in enumerate(zip(*columns, strict=True), 1))


def run(*arguments):
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.output


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_exports_and_imports(folder):
    learned_like(("A", "B")).save("potential.json")
    for line in EXPORTS.splitlines():
        run(*shlex.split(line)[1:])
    for name in ("lj.table", "two.table"):
        sections = [f"{section}\nN 500 R 2 8.5\n\n{argon(500)}\n" for section in ("FIRST", "MIXED", "SECOND")]
        (folder / name).write_text("\n".join(sections[: 1 if name == "lj.table" else 3]))
    r = np.linspace(2.5, 9, 500)
    (folder / "u.csv").write_text("\n".join(f"{x},{10 / x**6}" for x in r))
    for line in IMPORTS.splitlines():
        words = shlex.split(line)[1:]
        run(*words)
        assert PairTable.load(words[words.index("--out") + 1]).knots >= 50
    np.testing.assert_allclose(
        PairTable.load("potential.json").coefficients, learned_like(("A", "B")).coefficients, atol=1e-7
    )


def test_the_told_error(folder):
    (folder / "lj.table").write_text(f"# UNITS: real\nLJ\nN 1000 R 2 8.5\n\n{argon(1000)}\n")
    assert run("import", "lj.table", "--type", "Ar", "--out", "ar.json") == SAID
