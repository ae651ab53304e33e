"""A measured pressure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffpair.errors import DiffPairError


@dataclass(frozen=True)
class PressureTarget:
    """Pressure of a state.

    Args:
        value: bar.
        error: its standard error, bar, or None where it is not known.

    Raises:
        DiffPairError: a value that is not finite, or a negative error.
    """

    value: float
    error: float | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.value):
            raise DiffPairError(f"{self.label}: the value {self.value} is not finite")
        if self.error is not None and not (np.isfinite(self.error) and self.error >= 0):
            raise DiffPairError(f"{self.label}: the error {self.error} bar must be zero or more")

    @property
    def label(self) -> str:
        """How messages name this target."""
        return f"target of {self.value:g} bar"
