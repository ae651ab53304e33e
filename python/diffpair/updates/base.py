"""What all updates have in common, and what they see of the states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from diffpair.updates.observations import Memory
from diffpair.updates.parameter_space import ParameterSpace

Array = NDArray[np.float64]
Needs = Literal["jacobian", "gradient", "residual"]
UNDAMPED: tuple[float, float | None] = (1.0, None)
GROWTH = 1.5  # of a radius after a good step: two of them make up for one that was halved


@dataclass(frozen=True)
class RdfView:
    """A target g(r) of a state.

    pair: its row of a table. where: its rows of the residual. r: bin centres in nm, [n]. target: g there, [n].
    scale_error: relative standard error of a factor that is common to all of the target.
    """

    pair: int
    where: slice
    r: Array
    target: Array
    scale_error: float = 0.0


@dataclass(frozen=True)
class StateView:
    """What an update knows of a state.

    memory: its observations, with Jacobians for an update that needs them. variant: index of its set of global
    parameters. probe: matrix [n, npairs * (knots + 2)] that gives U on distances that particles visit. kT: kJ/mol.
    weights: mean sums of B_k(r) per frame, [npairs, knots + 2]. gradient: dL/dc at the present table, flat [npairs *
    (knots + 2)] in 1/(kJ/mol), for an update that needs it. gradient_noise: [m, npairs * (knots + 2)], such that
    |gradient_noise dc|^2 is the variance of gradient . dc; None where unknown. rdfs: the targets g(r).
    distributions: rows and values of other targets that go as exp(-U / kT), those of bonded terms.
    target_error: standard errors of the targets, [rows]; 0 or None where unknown. virial: [npairs * (knots + 2)], such
    that P / (rho kT) = 1 + virial c where g is the target; None where that is not all of the pressure, and where a
    pressure is a target. floor: noise that is always assumed of a row, [rows]; none where None.
    """

    memory: Memory
    variant: int
    probe: Array
    kT: float
    weights: Array
    gradient: Array | None = None
    gradient_noise: Array | None = None
    rdfs: tuple[RdfView, ...] = ()
    target_error: Array | None = None
    virial: Array | None = None
    floor: Array | None = None
    distributions: tuple[tuple[slice, Array], ...] = ()


@dataclass(frozen=True)
class Step:
    """What an update did: size in kT (largest change of U at a visited distance), the prior's variance, the residual in
    standard errors before it, and the mean |change of g| that it predicts. note: what the user should know of it.
    significance: reduction of chi^2 that it predicts, per parameter that the data fix. pooled_noise: mean |error of g|
    of the pooled residual, the target's own noise left out."""

    size: float
    amplitude: float
    chi: float
    predicted_change: float
    note: str = ""
    significance: float = float("nan")
    pooled_noise: float = float("nan")


class Update(Protocol):
    """Moves the parameters of a potential by what the states have shown. Updates are interchangeable in the loop.

    Attributes:
        needs: what the loop measures for it: "jacobian", the whole d<g>/dc in every observation; "gradient", dL/dc by
            the fit's gradient method; or "residual", nothing more than g itself. One that needs the Jacobian steps from
            its memory also after a failure.
        averages_late: whether the mean of the late iterates is better than the last one.
        damping_and_smoothness: those of GaussNewton, with which the error band is worked out, too; UNDAMPED for others.
    """

    @property
    def needs(self) -> Needs: ...

    @property
    def averages_late(self) -> bool: ...

    @property
    def damping_and_smoothness(self) -> tuple[float, float | None]: ...

    def shrink(self, factor: float = 0.5) -> None:
        """After a step that made things worse: smaller steps."""

    def grow(self) -> None:
        """After a step that was good."""

    def step(self, space: ParameterSpace, states: list[StateView]) -> Step:
        """Move the parameters. Raises DiffPairError if the numbers are not finite."""
        ...

    def content(self) -> dict[str, Any]:
        """All that `restore` needs, as tensors and plain values."""
        ...

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
