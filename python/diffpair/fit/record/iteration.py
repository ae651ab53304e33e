"""The record of an iteration: the one place where a fit keeps what it has tried."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.atomic_file import write_atomically
from diffpair.report.files import HISTORY

Array = NDArray[np.float64]
NAN = float("nan")


@dataclass
class Iteration:
    """What one iteration of a fit found: a line of its history. What does not apply is NaN or empty.

    Attributes:
        number: from 1 on.
        mae: mean |g - target| of the smooth g(r) of the frames, over all targets of all fitted states.
        noise: the part of it that the frames' statistics explain.
        accepted: whether the fit went on from it.
        step: size of the update, the largest change of U at a visited distance, in kT.
        chi: pooled residual in standard errors.
        md_steps: molecular dynamics steps of all states.
        seconds: wall time.
        note: what went wrong, if anything.
        updates: of the potential after the sampling; 1 but for `Reweighting`.
        effective: for `Reweighting`, by state, the effective number of its frames under the table after the last
            update, as a part of all frames.
        pressure: by state with a pressure as a target, that of the frames less the target, bar.
        bonded: by state and bonded term with a distribution as a target, integral |p - target| of the frames.
        significance: reduction of chi^2 that the step predicts, per parameter that the data fix.
        pooled_noise: mean |error of g| of the pooled residual.
        off: of the pressures and densities that are targets, how far the worst is off, in units of what its own error
            allows; 0 without any.
        ratio: actual over predicted reduction by the step before.
        independent: by state, the number of independent frames of the sampling.
        theta: the parameters that were sampled, before the update, [parameters].
    """

    number: int
    mae: float = NAN
    noise: float = NAN
    accepted: bool = False
    step: float = NAN
    chi: float = NAN
    md_steps: int = 0
    seconds: float = 0.0
    note: str = ""
    updates: int = 1
    effective: dict[str, float] = field(default_factory=dict)
    pressure: dict[str, float] = field(default_factory=dict)
    bonded: dict[str, float] = field(default_factory=dict)
    significance: float = NAN
    pooled_noise: float = NAN
    off: float = 0.0
    ratio: float = NAN
    independent: dict[str, float] = field(default_factory=dict)
    theta: Array = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)

    def line(self) -> dict[str, Any]:
        """What history.json tells of it: all but the parameters, which the tables of iterations/ hold."""
        return {k: None if v != v else v for k, v in asdict(self).items() if k != "theta"}


def accepted(history: Sequence[Iteration]) -> list[Iteration]:
    """Those that the fit went on from."""
    return [entry for entry in history if entry.accepted]


def best_of(history: Sequence[Iteration]) -> Iteration | None:
    """The accepted one of the smallest mean |g - target|, the first of several; None where there is none."""
    return min(accepted(history), key=lambda entry: entry.mae, default=None)


def failures(history: Sequence[Iteration]) -> int:
    """How many were not accepted since the last one that was."""
    return next((back for back, entry in enumerate(reversed(history)) if entry.accepted), len(history))


def write_history(out: Path, history: Sequence[Iteration]) -> None:
    """history.json: a list of iterations, for plots and machines."""
    write_atomically(out / HISTORY, json.dumps([entry.line() for entry in history], indent=1))
