"""A measured density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffpair.errors import DiffPairError

MASS, NUMBER = "g/cm^3", "nm^-3"
# Of a value that comes without an error. It is a number that somebody has measured, not, as a g(r) may be, a run as
# short as those of a fit; and a production of usual length tells as much.
_ERROR = 0.001


@dataclass(frozen=True)
class DensityTarget:
    """Density of a state whose pressure is held by a barostat.

    Args:
        value: density of all particles, in `unit`.
        error: its standard error, in `unit`, or None where it is not known.
        unit: "g/cm^3" of a mass density or "nm^-3" of a number density.

    Raises:
        DiffPairError: a value that is not positive, a negative error, or another unit.
    """

    value: float
    error: float | None = None
    unit: str = MASS

    def __post_init__(self) -> None:
        if self.unit not in (MASS, NUMBER):
            raise DiffPairError(f"{self.label}: a density is in {MASS} or {NUMBER} here, see diffpair.targets.units")
        if not (np.isfinite(self.value) and self.value > 0):
            raise DiffPairError(f"{self.label}: the value must be positive")
        if self.error is not None and not (np.isfinite(self.error) and self.error >= 0):
            raise DiffPairError(f"{self.label}: the error {self.error} {self.unit} must be zero or more")

    @property
    def own_error(self) -> float:
        """How well it is known: its error, or a part of the value where none is given. In `unit`."""
        return self.error or _ERROR * self.value

    @property
    def label(self) -> str:
        """How messages name this target."""
        return f"target density of {self.value:g} {self.unit}"
