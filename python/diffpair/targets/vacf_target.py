"""A measured velocity autocorrelation, and the file it is read from."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.targets.reading import VACF, Choice, read_curve
from diffpair.targets.units import convert

Array = NDArray[np.float64]
EVEN = 1e-3  # of an interval: lags may be off their places by so much


@dataclass(frozen=True)
class VacfTarget:
    """C(t) / C(0) with C(t) = <v(0) . v(t)> over all atoms.

    Args:
        t: lags, ps, [lags], 3 or more, even from 0 on.
        c: C(t) / C(0) there, [lags].
        error: standard error of c, [lags], or None.
        file: where it was read from, for messages.

    Raises:
        DiffPairError: fewer than 3 lags, lags that are uneven or do not start at 0, or C(0) / C(0) that is not 1.
    """

    t: Array
    c: Array
    error: Array | None = None
    file: Path | None = None

    def __post_init__(self) -> None:
        if len(self.t) < 3 or len(self.c) != len(self.t):
            raise DiffPairError(f"{self.label}: needs 3 or more lags, but has {len(self.t)}")
        if not np.isfinite(np.concatenate([self.t, self.c])).all():
            raise DiffPairError(f"{self.label}: a number is not finite")
        off = np.abs(self.t - self.interval * np.arange(len(self.t))).max()
        if not self.interval > 0 or off > EVEN * self.interval:
            raise DiffPairError(f"{self.label}: the lags must be even and start at 0")
        if abs(self.c[0] - 1) > 1e-3:
            raise DiffPairError(f"{self.label}: C(t) / C(0) must be 1 at lag 0, not {self.c[0]:g}")
        if self.error is not None and not (np.isfinite(self.error) & (self.error >= 0)).all():
            raise DiffPairError(f"{self.label}: errors must be zero or more")

    @property
    def interval(self) -> float:
        """Time between lags, ps."""
        return float(self.t[-1] / (len(self.t) - 1))

    @property
    def label(self) -> str:
        """How messages name this target."""
        return f"vacf {self.file}" if self.file else "vacf"

    def stride(self, timestep: float) -> int:
        """Number of time steps between lags.

        Args:
            timestep: ps.

        Returns:
            A whole number.

        Raises:
            DiffPairError: the lags are no multiple of the time step.
        """
        steps = round(self.interval / timestep)
        if steps < 1 or abs(steps * timestep - self.interval) > EVEN * self.interval:
            raise DiffPairError(
                f"{self.label}: its lags are {self.interval:g} ps apart, which is no multiple of the time step of "
                f"{timestep:g} ps"
            )
        return steps


def read_vacf(path: str | os.PathLike[str], t_unit: str = "ps", choice: Choice | None = None) -> VacfTarget:
    """Read columns t, C(t) / C(0) and perhaps its standard error, from the same kinds of files as a g(r).

    Args:
        path: the file.
        t_unit: unit of its t.
        choice: columns and block, where the file does not tell.

    Returns:
        The target, in ps.

    Raises:
        DiffPairError: the file is missing, not numeric or ambiguous, or its numbers are no VACF.

    Warns:
        UserWarning: what had to be decided to read the file, in one line.
    """
    path = Path(path)
    scale = convert(1.0, t_unit, "ps")
    curve = read_curve(path, VACF, choice)
    for problem in curve.problems.values():
        raise DiffPairError(problem.sentence)
    if curve.done:
        warnings.warn(f"{path}: {'; '.join(curve.done)}", stacklevel=2)
    return VacfTarget(scale * curve.x, curve.y, curve.error, path)
