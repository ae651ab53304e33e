"""The documentation builds without a warning: no link, class or included file is missing."""

from __future__ import annotations

import subprocess
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_documentation_builds(built: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = built
    assert done.returncode == 0, done.stderr
    front = (folder / "index.html").read_text()
    for page in DOCS.rglob("*.md"):
        assert f'{page.relative_to(DOCS).with_suffix(".html")}"' in front or page == DOCS / "index.md", page
