"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import write_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a config, its g(r) and a potential file."""
    return write_files(tmp_path)
