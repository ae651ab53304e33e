"""A target g(r) on an even grid of bins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.tables.numbers import real_array
from diffpair.targets.sampled import onset
from diffpair.targets.smoothing import smooth_histogram

MIN_POINTS = 8
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RdfTarget:
    """Radial distribution function of one pair of types.

    Args:
        pair: names of the two types.
        r: bin centres on an even grid, nm, [B], 8 or more; the first bin does not reach below 0.
        g: value of each bin, [B], understood as a plain histogram's (average over the bin, shell-weighted).
        error: standard error of g, [B], or None.
        scale_error: relative standard error of a factor that is common to all bins, such as the normalisation of a
            measured g(r); 0 where g tends to 1 as it should.
        file: where it was read from, for messages and reports.
        r_unit: unit of r in that file, for messages.

    Raises:
        DiffPairError: the arrays are not usable; the sentence names the value.

    Examples:
        >>> r = np.linspace(0.01, 0.99, 50)
        >>> target = diffpair.RdfTarget(("Ar", "Ar"), r, np.where(r < 0.35, 0.0, 1.0))
        >>> round(target.bin_width, 6), round(target.r_max, 6)
        (0.02, 1.0)
        >>> diffpair.RdfTarget(("Ar", "Ar"), r, -r)
        Traceback (most recent call last):
            ...
        diffpair.errors.DiffPairError: target Ar-Ar: g is negative at r = 0.01 nm
    """

    pair: tuple[str, str]
    r: Array
    g: Array
    error: Array | None = None
    file: Path | None = None
    r_unit: str = "nm"
    scale_error: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.pair, str) or len(self.pair) != 2:
            raise DiffPairError(f"the pair of a target must be two types, not {self.pair!r}")
        for name in ("r", "g", "error"):
            value = getattr(self, name)
            if value is None and name == "error":
                continue
            array = real_array(value, f"{self.label}: {name}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
            if array.ndim != 1 or array.shape != self.r.shape:
                raise DiffPairError(f"{self.label}: {name} has the shape {array.shape}, r has {self.r.shape}")
            if not np.isfinite(array).all():
                raise DiffPairError(f"{self.label}: {name} holds a value that is not finite")
        if len(self.r) < MIN_POINTS:
            raise DiffPairError(f"{self.label}: has {len(self.r)} bins, but a target needs at least {MIN_POINTS}")
        steps = np.diff(self.r)
        if (steps <= 0).any() or np.ptp(steps) > 1e-6 * self.bin_width:
            raise DiffPairError(f"{self.label}: r is not an even, increasing grid")
        if self.r[0] < self.bin_width * (0.5 - 1e-6):
            raise DiffPairError(f"{self.label}: the first bin, centred at r = {self.r[0]:g} nm, reaches below r = 0")
        if (self.g < 0).any():
            raise DiffPairError(f"{self.label}: g is negative at r = {self.r[np.argmax(self.g < 0)]:g} nm")

    @property
    def label(self) -> str:
        """How messages name this target."""
        return str(self.file) if self.file is not None else f"target {'-'.join(self.pair)}"

    @property
    def bin_width(self) -> float:
        """Width of a bin, nm."""
        return float(self.r[-1] - self.r[0]) / (len(self.r) - 1)

    @property
    def edges(self) -> Array:
        """Bin edges, nm, [B + 1]; none is below 0, where rounding of r would have the first one."""
        edges: Array = np.maximum(self.r[0] + self.bin_width * (np.arange(len(self.r) + 1) - 0.5), 0.0)
        return edges

    @property
    def r_max(self) -> float:
        """Outer edge of the last bin, nm."""
        return float(self.edges[-1])

    @property
    def onset(self) -> float:
        """Where neighbours begin, nm."""
        return onset(self.r, self.g)

    def smoothed(self) -> Array:
        """The target as a smooth RDF with a cubic B-spline kernel of one bin's width sees it.

        Returns:
            [B]; NaN where the data stop too near to know: the last two bins, and the first two unless g is about 0
            there.
        """
        return smooth_histogram(self.r, self.g)
