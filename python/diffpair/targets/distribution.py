"""The distribution of a bond length, an angle or a dihedral angle, and the file it stands in."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffpair.atomic_file import write_atomically
from diffpair.bonded.term import ORDERS
from diffpair.errors import DiffPairError, shortened
from diffpair.systems.bonded_paths import canonical
from diffpair.targets.reading.text import read_text

Array = NDArray[np.float64]

FEWEST_BINS = 4
_EVEN = 0.01  # of a bin: centres may be off their places by so much, for they are printed with eight digits
_NORMALISED = 0.02  # an integral that is further from 1 is no slip of rounding


@dataclass(frozen=True)
class Coordinate:
    """What a kind of so many particles measures. unit: one of the file's unit, in nm or radians."""

    name: str
    symbol: str
    unit_name: str
    unit: float
    highest: float  # in nm or radians

    @property
    def header(self) -> list[str]:
        """Columns of its file."""
        return [f"{self.symbol}_{self.unit_name}", f"p_per_{self.unit_name}", "error"]


COORDINATES = {
    2: Coordinate(ORDERS[2], "r", "nm", 1.0, np.inf),
    3: Coordinate(ORDERS[3], "theta", "degree", np.pi / 180, np.pi),
    4: Coordinate(ORDERS[4], "phi", "degree", np.pi / 180, np.pi),
}


@dataclass(frozen=True, eq=False)
class Distribution:
    """p(r), p(theta) or p(phi) of one kind of bonded term, as counted: with its Jacobian, r^2 or sin theta, in it.

    Args:
        kind: types along the chain; two name a bond, three an angle, four a dihedral. Kept in its canonical reading.
        edges: of even bins, nm or rad, [B + 1], 4 bins or more; of a dihedral from -pi to pi.
        p: average over each bin, 1/nm or 1/rad, [B]; sum(p) * width is made exactly 1.
        error: standard error of p, [B], or None.
        file: where it was read from, for messages.

    Raises:
        DiffPairError: the arrays are no distribution; the sentence names the file or kind, and the value.

    Examples:
        >>> from diffpair.targets import Distribution
        >>> p = [0.0, 15.0, 20.0, 15.0, 0.0]
        >>> bonds = Distribution(("A", "B"), np.linspace(0.2, 0.3, 6), p)
        >>> bonds.centres.round(3)
        array([0.21, 0.23, 0.25, 0.27, 0.29])
    """

    kind: tuple[str, ...]
    edges: Array
    p: Array
    error: Array | None = None
    file: Path | None = None

    def __post_init__(self) -> None:
        if len(self.kind) not in COORDINATES:
            raise DiffPairError(f"a bonded term has two, three or four types, not {len(self.kind)}: {list(self.kind)}")
        object.__setattr__(self, "kind", canonical(self.kind))
        for name in ("edges", "p", "error"):
            if (value := getattr(self, name)) is not None:
                array = np.array(value, dtype=np.float64)
                if array.ndim != 1 or not np.isfinite(array).all():
                    raise DiffPairError(f"{self.label}: {name} must be a list of finite numbers")
                object.__setattr__(self, name, array)
        self._check()
        total = float(self.p.sum() * self.width)
        if abs(total - 1) > _NORMALISED:
            raise DiffPairError(
                f"{self.label}: its integral is {total:.4g}, but that of a distribution is 1: divide it by that number"
            )
        object.__setattr__(self, "p", self.p / total)
        if self.error is not None:
            object.__setattr__(self, "error", self.error / total)
        for name in ("edges", "p", "error"):
            if (value := getattr(self, name)) is not None:
                value.setflags(write=False)

    def _check(self) -> None:
        bins, of = len(self.edges) - 1, self.coordinate
        if bins < FEWEST_BINS:
            raise DiffPairError(f"{self.label}: has {bins} bins, but a distribution needs at least {FEWEST_BINS}")
        for name, value in (("p", self.p), ("error", self.error)):
            if value is not None and len(value) != bins:
                raise DiffPairError(f"{self.label}: {name} has {len(value)} values for {bins} bins")
            if value is not None and (value < 0).any():
                raise DiffPairError(f"{self.label}: {name} is negative at {self._shown(self.centres[value < 0][0])}")
        if not (np.abs(self.edges - np.linspace(self.edges[0], self.edges[-1], bins + 1)) <= _EVEN * self.width).all():
            raise DiffPairError(f"{self.label}: its bins are not even and increasing")
        low, high, slack = self.edges[0], self.edges[-1], _EVEN * self.width * bins
        if len(self.kind) == 4 and max(abs(low + np.pi), abs(high - np.pi)) > slack:
            raise DiffPairError(
                f"{self.label}: a dihedral's bins go from -180 to 180 degrees, not from {self._shown(low)} to "
                f"{self._shown(high)}"
            )
        if len(self.kind) != 4 and (low < -slack or high > of.highest + slack):
            span = "below 0" if low < -slack else "above 180 degrees"
            raise DiffPairError(f"{self.label}: a bin reaches {span}, where no {of.name} is")

    @property
    def coordinate(self) -> Coordinate:
        """What is distributed, and its units."""
        return COORDINATES[len(self.kind)]

    @property
    def label(self) -> str:
        """How messages name it."""
        return str(self.file) if self.file is not None else f"{self.coordinate.name} {'-'.join(self.kind)}"

    @property
    def width(self) -> float:
        """Width of a bin, nm or rad."""
        return float(self.edges[-1] - self.edges[0]) / (len(self.edges) - 1)

    @property
    def centres(self) -> Array:
        """Centres of the bins, nm or rad, [B]."""
        return np.asarray(0.5 * (self.edges[1:] + self.edges[:-1]))

    def l1(self, other_p: ArrayLike) -> float:
        """Integral |p - other_p|, from 0 to 2.

        Args:
            other_p: another distribution on the same bins, [B].

        Returns:
            The integral.
        """
        return float(np.abs(self.p - np.asarray(other_p, dtype=np.float64)).sum() * self.width)

    def write(self, path: str | os.PathLike[str], comments: Sequence[str] = ()) -> None:
        """Write a CSV file that `read` reads: comments, header, then centre, p and, if known, error.

        Args:
            path: file to write.
            comments: lines without their #.

        Raises:
            DiffPairError: the file cannot be written.
        """
        unit, columns = self.coordinate.unit, [self.centres / self.coordinate.unit, self.p * self.coordinate.unit]
        if self.error is not None:
            columns.append(self.error * unit)
        lines = [f"# {' '.join(comment.split())}" for comment in comments]
        lines.append(",".join(self.coordinate.header[: len(columns)]))
        lines += [",".join(f"{value:.8g}" for value in row) for row in zip(*columns, strict=True)]
        write_atomically(Path(path), "\n".join(lines) + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str], kind: Sequence[str]) -> Distribution:
        """Read a distribution from a CSV file with the header of `write`.

        Args:
            path: the file.
            kind: types along the chain.

        Returns:
            The distribution.

        Raises:
            DiffPairError: no such file, another header, a line that is no row of numbers, or no distribution; the
                sentence names file and line.
        """
        path = Path(path)
        if len(kind) not in COORDINATES:
            raise DiffPairError(f"{path}: a bonded term has two, three or four types, not {len(kind)}")
        of = COORDINATES[len(kind)]
        header, rows = _read_rows(path, of)
        table = np.array(rows).reshape(len(rows), len(header))
        if len(rows) < FEWEST_BINS:
            raise DiffPairError(f"{path}: has {len(rows)} bins, but a distribution needs at least {FEWEST_BINS}")
        centres = table[:, 0] * of.unit
        width = (centres[-1] - centres[0]) / (len(centres) - 1)
        places = centres[0] + width * np.arange(len(centres))
        off = np.abs(centres - places)
        if not width > 0 or off.max() > _EVEN * width:
            raise DiffPairError(f"{path}: {header[0]} must be the centres of even bins, in increasing order")
        edges = centres[0] + width * (np.arange(len(centres) + 1) - 0.5)
        error = table[:, 2] / of.unit if len(header) == 3 else None
        return cls(tuple(kind), edges, table[:, 1] / of.unit, error, path)

    def _shown(self, value: float) -> str:
        return f"{value / self.coordinate.unit:.4g} {self.coordinate.unit_name}"


def grouped_bin_counts(x: ArrayLike, edges: ArrayLike, groups: NDArray[np.int64], count: int) -> Array:
    """How many of the coordinates x [F, n] of each frame and group lie in each of the even bins between edges [m + 1],
    [F, count, m]; groups: which group each coordinate belongs to, [n].

    Coordinates outside of all bins count in none of them.
    """
    values, ends = np.asarray(x, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    frames, bins = len(values), len(ends) - 1
    place = np.floor((values - ends[0]) * (bins / (ends[-1] - ends[0]))).astype(np.int64)
    place[values == ends[-1]] = bins - 1  # pi belongs to the last bin of a dihedral
    inside = (place >= 0) & (place < bins)
    flat = (place + bins * (groups + count * np.arange(frames)[:, None]))[inside]
    return np.asarray(np.bincount(flat, minlength=frames * count * bins).reshape(frames, count, bins), dtype=np.float64)


def bin_counts(x: ArrayLike, edges: ArrayLike) -> Array:
    """The same of all coordinates together, [F, m]."""
    return grouped_bin_counts(x, edges, np.zeros(np.shape(x)[1], dtype=np.int64), 1)[:, 0]


def bin_fractions(x: ArrayLike, edges: ArrayLike) -> Array:
    """Part of the coordinates x [F, n] of each frame in each of the even bins between edges [m + 1], [F, m].

    Coordinates outside of all bins count in none of them, but among the n: a distribution that has left the bins of its
    target does not add up to 1.
    """
    return bin_counts(x, edges) / max(1, np.shape(x)[1])


def _read_rows(path: Path, of: Coordinate) -> tuple[list[str], list[list[float]]]:
    """Header and rows of numbers, comments and empty lines left out."""
    text, _ = read_text(path, f"the distribution of {of.name}s")
    try:
        lines = list(csv.reader(text.splitlines()))
    except csv.Error as error:
        raise DiffPairError(f"{path}: is no table of numbers: {error}") from None
    header: list[str] = []
    rows: list[list[float]] = []
    for number, cells in enumerate(lines, 1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not header:
            header = cells
            if cells not in (of.header[:2], of.header):
                raise DiffPairError(
                    f"{path}, line {number}: the header of a distribution of {of.name}s is {','.join(of.header)} or "
                    f"{','.join(of.header[:2])}, not {shortened(','.join(cells))}"
                )
            continue
        try:
            rows.append([float(cell) for cell in cells])
        except ValueError:
            raise DiffPairError(f"{path}, line {number}: {shortened(','.join(cells))} is no row of numbers") from None
        if len(cells) != len(header):
            raise DiffPairError(f"{path}, line {number}: has {len(cells)} values, but {len(header)} columns have names")
        if not np.isfinite(rows[-1]).all():
            raise DiffPairError(f"{path}, line {number}: holds a number that is not finite")
    if not header:
        raise DiffPairError(f"{path}: is empty")
    return header, rows
