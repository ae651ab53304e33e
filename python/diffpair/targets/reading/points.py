"""A curve as a file has it: points, and why some of them are none."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """Why there is no number; ``missing`` where the file says so itself, with nan, NA or an empty cell."""

    sentence: str
    missing: bool = False


@dataclass(frozen=True)
class Curve:
    """Points in the order of x.

    Args:
        x, y, error: [n] in the file's units; y and error NaN where the file has no number. error: None without one.
        line: of the file, [n]. flags: of VOTCA, [n], "" without.
        problems: by line, why y or its error is NaN there. done: what reading had to decide, each a few words.
        x_name: what a header calls x. columns: which columns were taken, in words.
    """

    path: Path
    x: Array
    y: Array
    error: Array | None
    line: NDArray[np.int64]
    flags: list[str]
    x_name: str
    columns: str
    problems: dict[int, Problem] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def at(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> Curve:
        """Some of its points."""
        index = np.arange(len(self.x))[places]
        return dataclasses.replace(
            self,
            x=self.x[index],
            y=self.y[index],
            error=None if self.error is None else self.error[index],
            line=self.line[index],
            flags=[self.flags[k] for k in index],
        )
