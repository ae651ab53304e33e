"""The command line in this process, and a folder with files for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bonded_files
import numpy as np
import pytest

from diffpair import PairTable
from diffpair.bonded import TabulatedTerm
from diffpair.cli import main

CONFIG = """\
potential: {form: bspline, cutoff: 2.5 nm, knots: 60}
states:
  - name: liquid
    system: {lattice: {n: 500, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}}
    temperature: 120.27 K
    targets: [rdf: {pair: [A, A], file: rdf.csv}]
sampling: {timestep: 5 fs}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    """Status, stdout, stderr of the entry point itself."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return int(end.value.code or 0), output.out, output.err


def write_files(folder: Path) -> Path:
    """A config, its g(r), and p.json, a potential of two types."""
    r = 0.8 + 0.05 * np.arange(50)
    (folder / "rdf.csv").write_text("\n".join(f"{x:.3f} {float(x > 0.95)}" for x in r))
    (folder / "fit.yaml").write_text(CONFIG)
    coefficients = np.zeros((3, 62))
    coefficients[:, :10] = np.random.default_rng(1).normal(size=(3, 10))
    PairTable(("A", "B"), 0.7, 2.5, coefficients, {"T": 1.5}).save(folder / "p.json", provenance={"by": "test"})
    return folder


def bonded_potential(folder: Path) -> PairTable:
    """bonded.json, a potential with bonded terms, and the files of a fit of such."""
    bonded_files.write_files(folder)
    terms = (*PairTable.load(folder / "terms.json").bonded, TabulatedTerm(("A", "B", "A", "B"), np.cos(np.arange(9))))
    table = PairTable(("A", "B"), 0.3, 1.0, np.zeros((3, 12)), bonded=terms)
    table.save(folder / "bonded.json")
    return table
