"""What taking frames off a trajectory's end has in common, whatever its format."""

from __future__ import annotations

from pathlib import Path

from diffpair.errors import DiffPairError


def is_written(path: Path, frames: int) -> bool:
    """Whether there is a file that so many frames should be in. Raises DiffPairError where it is missing."""
    if not path.is_file() and frames:
        raise DiffPairError(f"{path}: is missing, but should hold {frames} frames")
    return path.is_file()


def too_few(path: Path, frames: int) -> DiffPairError:
    return DiffPairError(f"{path}: holds fewer than the {frames} frames that the run has written to it")
