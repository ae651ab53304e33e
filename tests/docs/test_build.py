"""The documentation builds without a warning: no link, class or included file is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_documentation_builds(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(ROOT / "docs")]
    done = subprocess.run([*command, "-d", str(tmp_path / "trees"), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    front = (tmp_path / "index.html").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert f'{page.relative_to(ROOT / "docs").with_suffix(".html")}"' in front or page.stem == "index", page
