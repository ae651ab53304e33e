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
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/observables.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    norm = float(re.findall(r"tensor\(([^,]*),", done.stdout)[0])
    assert 0 < norm < float("inf")
    assert done.stdout.splitlines()[-1] == "HarmonicBondForce natively"


def test_code_of_the_plugin_page(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/plugin.md").read_text(), flags=re.DOTALL)
    assert len(blocks) >= 6
    shutil.copy(ROOT / "examples/scripts/potential.json", tmp_path)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "6", "a chain of four has six pairs up to three bonds apart"
